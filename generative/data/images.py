"""One picture in a file: upright, in front of white, in 8 bits, grey or red, green and blue."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .arrays import readable
from .forms import WHITE, Extent, Scale
from .pictures import MOST_PIXELS, Fit

if TYPE_CHECKING:
    from PIL.Image import Image

Array = NDArray[Any]

ENDINGS = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jfif", ".bmp", ".webp", ".gif", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
)
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF", "PPM")  # other readers start programs
ORIENTATION = 0x0112  # EXIF's tag
SIDEWAYS = (5, 6, 7, 8)


@dataclass(frozen=True)
class Look:
    """What a picture's header says.

    Attributes:
        height: in pixels, upright.
        width: likewise.
        grey: whether it has no colours.
        deep: the type of its numbers if they are of more than 8 bits, else None.
        turned: whether EXIF says that it does not lie upright.
        clear: whether it has transparent places.
        cut: whether its colours are of 16 bits, of which the lower 8 are not read.
        moving: whether it has several frames.
    """

    height: int
    width: int
    grey: bool
    deep: np.dtype[Any] | None
    turned: bool
    clear: bool
    cut: bool
    moving: bool


def look(file: Path) -> Look:
    """Read a picture's header.

    Raises:
        ValueError: it is damaged, no picture, or of too many pixels.
    """
    with readable(file), _opened(file) as image:
        cut = ";16" in _raw(image) and image.mode in ("RGB", "RGBA")
        turn = _turn(image)
        width, height = image.size[::-1] if turn in SIDEWAYS else image.size
        return Look(
            height,
            width,
            _is_grey(image),
            _deep_type(image),
            turn != 1,
            image.has_transparency_data,
            cut,
            getattr(image, "is_animated", False),
        )


def extent(file: Path) -> Extent:
    """Return between which values the numbers of a deep picture lie.

    Raises:
        ValueError: it is damaged.
    """
    with readable(file), _opened(file) as image:
        return Extent.of([_numbers(image)[None]])


def read(file: Path, fit: Fit | None, scale: Scale | None) -> Tensor:
    """Read a picture as uint8 `[1 or 3, H, W]`.

    What is far larger than `fit` is made smaller while it is decoded, or right after it.

    Args:
        file: the picture.
        fit: the size that it is brought to; None leaves its own.
        scale: of deep numbers.

    Raises:
        ValueError: it is damaged.
    """
    from PIL import ImageOps

    with readable(file), _opened(file) as image:
        turn = _turn(image)
        sideways = turn in SIDEWAYS
        if fit is not None:
            down, across = _spare(image, fit, sideways)
            image.draft(None, (image.width // across, image.height // down))
        shown = _shown(image, scale)
        if fit is not None:
            down, across = _spare(shown, fit, sideways)
            shown = shown.reduce((across, down)) if max(down, across) > 1 else shown
        if turn != 1:
            shown.getexif()[ORIENTATION] = turn
            shown = ImageOps.exif_transpose(shown)
        pixels = np.array(shown)  # [H, W] or [H, W, 3]
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    picture = torch.from_numpy(pixels.transpose(2, 0, 1).copy())
    return picture if fit is None else fit(picture[None])[0]


def _opened(file: Path) -> "Image":
    from PIL import Image

    if not file.is_file():
        raise ValueError("it is no file")
    image = Image.open(file, formats=FORMATS)
    if math.prod(image.size) > MOST_PIXELS:
        image.close()
        raise ValueError(f"it has {math.prod(image.size):,} pixels")
    return image.convert("LA") if _raw(image).startswith("LA;16") else image


def _raw(image: "Image") -> str:
    """Return how the numbers of a picture lie in its file, as long as none has been read."""
    tiles = getattr(image, "tile", None)  # of what is opened, not of what is converted
    return str(tiles[0][3]) if tiles else ""


def _turn(image: "Image") -> int:
    """Return how a picture is to be turned; PIL turns TIFF by itself."""
    turn = 1 if image.format == "TIFF" else image.getexif().get(ORIENTATION, 1)
    return turn if turn in range(1, 9) else 1


def _spare(image: "Image", fit: Fit, sideways: bool) -> tuple[int, int]:
    """Return by which factors a picture may be reduced before it is fitted: down, across."""
    if sideways:
        across, down = fit.spare(image.width, image.height)
        return down, across
    return fit.spare(image.height, image.width)


def _shown(image: "Image", scale: Scale | None) -> "Image":
    """Return a picture as it lies in the file, `"L"` or `"RGB"`, before white."""
    from PIL import Image

    grey = _is_grey(image)
    if _deep_type(image) is not None:
        scale = scale or Scale(1 / WHITE)
        scaled = _numbers(image) * np.float32(scale.gain * WHITE)
        scaled += np.float32(scale.shift * WHITE)
        np.rint(scaled, out=scaled).clip(0, WHITE, out=scaled)
        return Image.fromarray(scaled.astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("L" if grey else "RGB")
    clear = image.convert("RGBA")
    ground = Image.new("RGB", clear.size, (WHITE, WHITE, WHITE))
    ground.paste(clear, mask=clear.getchannel("A"))
    return ground.convert("L") if grey else ground


def _numbers(image: "Image") -> Array:
    """Return the numbers of a deep picture, `[H, W]` float32 or a whole type."""
    return np.asarray(image)


def _deep_type(image: "Image") -> np.dtype[Any] | None:
    if image.mode.startswith("I;16"):
        return np.dtype(np.uint16)
    return {"I": np.dtype(np.int32), "F": np.dtype(np.float32)}.get(image.mode)


def _is_grey(image: "Image") -> bool:
    """Whether a picture has no colours, by its kind or its palette."""
    if image.mode in ("P", "PA") and image.palette is not None:
        order, content = image.palette.getdata()
        colours = np.frombuffer(content, np.uint8)
        colours = colours[: len(colours) // len(order) * len(order)].reshape(-1, len(order))
        return bool((colours[:, :3] == colours[:, :1]).all())
    return image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")
