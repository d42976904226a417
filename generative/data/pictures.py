"""Pictures of any layout as one kind of tensor, in any size."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from .dataset import Dataset

CHUNK = 1 << 20  # numbers that are floating at once, so that large sets fit in memory


def channels_first(pictures: NDArray[np.uint8]) -> Tensor:
    """Return a view of `[N, H, W, C]` or `[N, H, W]` as `[N, C, H, W]`."""
    x = torch.from_numpy(np.ascontiguousarray(pictures))
    return x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)


def resized(x: Tensor, height: int, width: int) -> Tensor:
    """Return pictures `[N, C, H, W]` in another size and the same type.

    A smaller picture averages the area under each of its pixels; a larger one interpolates
    linearly, or, by a whole factor, repeats pixels.

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
    mode = "area" if height <= old[0] and width <= old[1] else "bilinear"
    parts = []
    for part in x.split(max(1, CHUNK // x[0].numel())):
        grown = F.interpolate(part.float(), (height, width), mode=mode)
        parts.append(grown.round().to(x.dtype) if x.dtype == torch.uint8 else grown)
    return torch.cat(parts)


def resize(data: Dataset, size: int | None) -> Dataset:
    """Return the data with pictures of `size` x `size`; None leaves them as they are.

    Raises:
        ValueError: the data are no pictures.
    """
    if size is None:
        return data
    if len(data.shape) != 3:
        raise ValueError(f"{data.name} holds vectors of {data.shape[0]} numbers: they have no size")
    return replace(data, x=resized(data.x, size, size))
