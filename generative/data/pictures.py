"""Pictures of any layout as one kind of tensor, in any size."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from .dataset import Dataset
from .stored import Stored, kept

MOST_PIXELS = 2**26  # of one picture
CHUNK = 1 << 20  # numbers that are floating at once, so that large sets fit in memory

Size = int | tuple[int, int]
"""A side of square pictures, or height and width."""
Way = Literal["stretch", "crop", "pad"]
"""How a picture is brought to another aspect: as a whole; by its middle; with black beside it."""
DONE: Mapping[Way, str] = {"stretch": "stretched", "crop": "cropped", "pad": "padded"}


@dataclass(frozen=True)
class Fit:
    """The size that pictures are brought to, and how.

    Attributes:
        height: in pixels.
        width: in pixels.
        way: `"stretch"` shows the whole, each side scaled on its own; `"crop"` the largest part in
            the middle that has the aspect; `"pad"` the whole, undistorted, with black beside it.
    """

    height: int
    width: int
    way: Way = "stretch"

    @classmethod
    def of(cls, size: Size | None, way: Way = "stretch") -> "Fit | None":
        """Return the fit to a side, or to (height, width); None where there is no size.

        Raises:
            ValueError: a side is below 1, or there are more pixels than a picture may have.
        """
        if size is None:
            return None
        height, width = size if isinstance(size, tuple) else (size, size)
        if height < 1 or width < 1:
            raise ValueError(f"size is {height}x{width}: expected at least 1x1")
        if height * width > MOST_PIXELS:
            raise ValueError(f"size is {height}x{width}: expected at most {MOST_PIXELS:,} pixels")
        return cls(height, width, way)

    def __str__(self) -> str:
        return f"{self.height}x{self.width}"

    def __call__(self, x: Tensor) -> Tensor:
        """Return pictures `[N, C, H, W]` as `[N, C, height, width]`.

        Raises:
            ValueError: a side is below 1.
        """
        top, left, high, wide = self.window(*x.shape[2:])
        x = x[:, :, top : top + high, left : left + wide]
        if self.way != "pad":
            return resized(x, self.height, self.width)
        scale = min(self.height / high, self.width / wide)
        inner = [max(1, round(side * scale)) for side in (high, wide)]
        missing = self.height - inner[0], self.width - inner[1]
        above, before = (each // 2 for each in missing)
        sides = before, missing[1] - before, above, missing[0] - above
        return F.pad(resized(x, *inner), sides)

    def window(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Return what is shown of a picture: `(top, left, height, width)`."""
        if self.way != "crop":
            return 0, 0, height, width
        scale = min(height / self.height, width / self.width)
        high, wide = max(1, round(self.height * scale)), max(1, round(self.width * scale))
        return (height - high) // 2, (width - wide) // 2, high, wide

    def spare(self, height: int, width: int) -> tuple[int, int]:
        """Return by which whole factors a picture is at least twice too high, and too wide."""
        _, _, high, wide = self.window(height, width)
        spare = [high / self.height / 2, wide / self.width / 2]
        if self.way == "pad":
            spare = [max(spare)] * 2
        down, across = (max(1, int(each)) for each in spare)
        return min(down, height), min(across, width)


def channels_first(pictures: NDArray[np.uint8]) -> Tensor:
    """Return a view of `[N, H, W, C]` or `[N, H, W]` as `[N, C, H, W]`."""
    x = torch.from_numpy(np.ascontiguousarray(pictures))
    return x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)


def resized(x: Tensor, height: int, width: int) -> Tensor:
    """Return pictures `[N, C, H, W]` in another size and the same type.

    A side that becomes smaller averages what falls on each of its pixels; one that grows
    interpolates linearly. Where both grow by whole factors, pixels are repeated.

    Raises:
        ValueError: a side is below 1.
    """
    if height < 1 or width < 1:
        raise ValueError(f"pictures of {height}x{width} pixels: expected at least 1x1")
    old = tuple(x.shape[2:])
    if old == (height, width):
        return x
    if height % old[0] == 0 and width % old[1] == 0:
        return x.repeat_interleave(height // old[0], 2).repeat_interleave(width // old[1], 3)
    parts = [
        _scaled(part, height, width) for part in x.split(max(1, CHUNK // max(1, x[0].numel())))
    ]
    return torch.cat(parts)


def _scaled(x: Tensor, height: int, width: int) -> Tensor:
    """Return pictures in another size: sides shrink first, by averages, then grow, along lines."""
    small = min(height, x.shape[2]), min(width, x.shape[3])
    y = F.interpolate(x.float(), small, mode="area")
    y = F.interpolate(y, (height, width), mode="bilinear") if small != (height, width) else y
    return y.round().to(x.dtype) if x.dtype == torch.uint8 else y


def resize(data: Dataset, fit: Fit | None) -> Dataset:
    """Return the data with pictures of another size; None leaves them as they are.

    Raises:
        ValueError: the data are no pictures.
    """
    if fit is None:
        return data
    if len(data.shape) != 3:
        raise ValueError(f"{data.name} holds vectors of {data.shape[0]} numbers: they have no size")
    if isinstance(data.x, Stored):
        shape = (len(data), data.shape[0], fit.height, fit.width)
        return replace(data, x=kept(data.name, map(fit, data.x.blocks()), shape, data.x.dtype))
    return replace(data, x=fit(data.x))
