"""Pictures of pictures: grids, reconstructions beside originals, latent paths; PNG and GIF."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nets.drawing import figures
from nets.drawing.style import paper
from nets.runs.checkpoint import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture = NDArray[np.uint8]  # [H, W, 3]
Film = NDArray[np.uint8]  # [T, H, W, 3]
Drawn: TypeAlias = "Picture | Figure"

SIDE = 1024  # pixels that the longer side of a grid aims at
MAX_ZOOM = 8
GAP = 2  # pixels between pictures
FONT_SIZE = 16


def as_pictures(x: Tensor | NDArray[Any]) -> NDArray[np.uint8]:
    """Return pictures as bytes.

    Args:
        x: `[*B, C, H, W]`, uint8, or floating, which is cut to [0, 1]; C is 1 or 3.

    Returns:
        `[*B, H, W, 3]`.

    Raises:
        ValueError: `x` has another shape.
        TypeError: `x` is neither uint8 nor floating.
    """
    pictures = torch.as_tensor(x).detach().cpu()
    if pictures.ndim < 3 or pictures.shape[-3] not in (1, 3):
        shape = list(pictures.shape)
        raise ValueError(f"pictures have shape {shape}, expected [..., 1 or 3, H, W]")
    if pictures.is_floating_point():
        pictures = (pictures.float().clamp(0, 1) * 255).round().byte()
    elif pictures.dtype != torch.uint8:
        raise TypeError(f"pictures are {pictures.dtype}, expected uint8 or floating")
    return pictures.expand(*pictures.shape[:-3], 3, -1, -1).movedim(-3, -1).numpy()


def grid(
    x: Tensor | NDArray[Any], columns: int | None = None, *, zoom: int | None = None
) -> Picture:
    """Lay pictures out in reading order.

    Args:
        x: `[N, C, H, W]`, see `as_pictures`.
        columns: as many as make the grid about square by default.
        zoom: pixels of the grid per pixel, a whole number so that small pictures stay crisp; as
            large as the grid allows by default.
    """
    pictures = as_pictures(x)
    count, height, width, _ = pictures.shape
    across = columns or max(1, round((count * height / width) ** 0.5))
    down = -(-count // across)
    zoom = zoom or _zoom(down * height, across * width)
    pictures = _enlarged(pictures, zoom)
    sheet = _sheet(down, across, height * zoom, width * zoom)
    for index, picture in enumerate(pictures):
        _put(sheet, picture, *divmod(index, across))
    return sheet


def compare(
    originals: Tensor | NDArray[Any], copies: Tensor | NDArray[Any], columns: int = 8
) -> Picture:
    """Lay originals out in rows, each above its copy.

    Args:
        originals: `[N, C, H, W]`, see `as_pictures`.
        copies: `[N, C, H, W]`, of the same pictures.
        columns: pairs in a row.

    Raises:
        ValueError: there are not as many copies as originals, or of another size.
    """
    pairs = as_pictures(originals), as_pictures(copies)
    if pairs[0].shape != pairs[1].shape:
        raise ValueError(f"originals are {pairs[0].shape}, copies {pairs[1].shape}")
    count, height, width, _ = pairs[0].shape
    columns = min(columns, count)
    zoom = _zoom(2 * -(-count // columns) * height, columns * width)
    bands = []
    for start in range(0, count, columns):
        band = _sheet(2, columns, height * zoom, width * zoom)
        for row, pictures in enumerate(pairs):
            for column, picture in enumerate(_enlarged(pictures[start : start + columns], zoom)):
                _put(band, picture, row, column)
        bands.append(band)
    return np.concatenate([np.pad(band, ((0, 2 * GAP), (0, 0), (0, 0)), "edge") for band in bands])


def rows(x: Tensor | NDArray[Any], names: Sequence[str] = ()) -> Picture:
    """Lay paths out in rows, such as latent traversals or interpolations.

    Args:
        x: `[R, K, C, H, W]`, see `as_pictures`.
        names: what is written before each of the R rows.

    Raises:
        ValueError: there are names, but not R of them.
    """
    pictures = as_pictures(x)
    count, steps = pictures.shape[:2]
    if names and len(names) != count:
        raise ValueError(f"{len(names)} names for {count} rows")
    zoom = _zoom(count * pictures.shape[2], steps * pictures.shape[3])
    sheet = grid(np.moveaxis(pictures.reshape(-1, *pictures.shape[2:]), -1, 1), steps, zoom=zoom)
    return _captioned(sheet, names) if names else sheet


def film(x: Tensor | NDArray[Any], columns: int | None = None, *, pendulum: bool = True) -> Film:
    """Lay pictures that change out in a grid per moment.

    Args:
        x: `[T, N, C, H, W]`, see `as_pictures`.
        columns: of the grid.
        pendulum: whether to go back the way it came, so that the film repeats without a jump.

    Returns:
        `[T, H, W, 3]`, or `[2T - 2, H, W, 3]` there and back.
    """
    moments = np.stack([grid(moment, columns) for moment in x])
    return np.concatenate([moments, moments[-2:0:-1]]) if pendulum else moments


def save(path: str | Path, picture: "NDArray[np.uint8] | Figure", *, fps: int = 12) -> None:
    """Save a picture as .png or a film as .gif, which appears only when it is complete.

    A chart is saved in what its name ends in: .png, .svg or .pdf.

    Args:
        path: where.
        picture: `[H, W, 3]` for .png; `[T, H, W, 3]` for .gif; or a chart.
        fps: moments per second of a film.

    Raises:
        ValueError: the suffix does not suit the shape.
    """
    from PIL import Image

    path = Path(path)
    if not isinstance(picture, np.ndarray):
        figures.save(picture, path)
        return
    expected = {3: ".png", 4: ".gif"}.get(picture.ndim)
    if path.suffix != expected or picture.shape[-1] != 3:
        shape = list(picture.shape)
        message = f"{path} for shape {shape}: expected .png for [H, W, 3], .gif for [T, H, W, 3]"
        raise ValueError(message)
    images = [Image.fromarray(p) for p in (picture if picture.ndim == 4 else picture[None])]
    pause = max(20, round(100 / fps) * 10)  # the format counts in hundredths of a second

    def write(file: IO[bytes]) -> None:
        if expected == ".png":
            images[0].save(file, "PNG", optimize=True)
        else:
            images[0].save(
                file, "GIF", save_all=True, append_images=images[1:], duration=pause, loop=0
            )

    atomic_write(path, write)


def _zoom(height: int, width: int) -> int:
    return max(1, min(MAX_ZOOM, SIDE // max(height, width)))


def _enlarged(pictures: NDArray[np.uint8], zoom: int) -> NDArray[np.uint8]:
    return pictures.repeat(zoom, axis=-3).repeat(zoom, axis=-2)


def _sheet(down: int, across: int, height: int, width: int) -> Picture:
    """Return paper for so many pictures with gaps around each."""
    size = down * (height + GAP) + GAP, across * (width + GAP) + GAP
    return np.full((*size, 3), _rgb(paper().sheet), np.uint8)


def _put(sheet: Picture, picture: Picture, row: int, column: int) -> None:
    height, width, _ = picture.shape
    top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
    sheet[top : top + height, left : left + width] = picture


def _captioned(sheet: Picture, names: Sequence[str]) -> Picture:
    """Return the sheet with a name before each row."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(FONT_SIZE)
    margin = 2 * FONT_SIZE // 2 + max(int(font.getlength(name)) for name in names)
    page = Image.new("RGB", (margin + sheet.shape[1], sheet.shape[0]), _rgb(paper().sheet))
    page.paste(Image.fromarray(sheet), (margin, 0))
    pen = ImageDraw.Draw(page)
    for row, name in enumerate(names):
        middle = (row + 0.5) * sheet.shape[0] / len(names)
        ink = _rgb(paper().ink)
        pen.text((margin - FONT_SIZE // 2, middle), name, ink, font, anchor="rm")
    return np.array(page)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))
