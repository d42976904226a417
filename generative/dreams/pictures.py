"""What observations look like: pictures as they are, boards in colours, vectors as bars."""

import math

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from ..data.pictures import channels_first, resized
from ..worlds.spaces import WorldSpec

SIDE = 192  # pixels of a picture's longer side, at least
LARGEST = 4096
GROUND = np.array((18, 24, 43), np.uint8)
PALETTE = np.array(
    [(64, 196, 180), (244, 178, 62), (226, 74, 83), (142, 124, 255), (236, 240, 245)], np.uint8
)
GAP = 4  # pixels between pictures
PAPER = 233
SPREAD = 3.0  # standard deviations of an unbounded number that its bar can show


def require_size(size: int | None) -> int | None:
    """Return a size of pictures.

    Raises:
        ValueError: it is no whole number of pixels from 8 to 4096.
    """
    if size is None or (isinstance(size, int | np.integer) and 8 <= size <= LARGEST):
        return size
    raise ValueError(f"render_size is a number of pixels from 8 to {LARGEST}, got {size!r}")


def draw(spec: WorldSpec, observation: Tensor, size: int | None = None) -> NDArray[np.uint8]:
    """Return pictures `[N, H, W, 3]` of observations `[N, *]`, of a longer side if that is told."""
    shown = observation.cpu().numpy()
    if spec.kind == "picture":
        picture = _colours(shown)
    elif spec.kind == "board" and shown.ndim <= 4:
        picture = _board(shown)
    elif spec.kind == "discrete":
        picture = _states(spec.states(observation).cpu().numpy(), spec.num_states)
    else:
        picture = _bars(spec, observation.cpu())
    height, width = picture.shape[1:3]
    if size is not None:
        sides = (max(1, round(side * size / max(height, width))) for side in (height, width))
        return resized(channels_first(picture), *sides).permute(0, 2, 3, 1).contiguous().numpy()
    zoom = max(1, SIDE // max(height, width))
    return picture.repeat(zoom, 1).repeat(zoom, 2)


def _colours(bytes_: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return bytes `[N, H, W]` or `[N, H, W, C]`, also with channels first, as RGB."""
    if bytes_.ndim == 3:
        bytes_ = bytes_[..., None]
    if bytes_.shape[-1] not in (1, 3, 4) and bytes_.shape[1] in (1, 3, 4):
        bytes_ = np.moveaxis(bytes_, 1, -1)
    three = bytes_[..., :3] if bytes_.shape[-1] in (3, 4) else bytes_[..., -1:]
    return np.broadcast_to(three, (*bytes_.shape[:3], 3))


def _board(cells: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return cells `[N, H, W]`, `[N, C, H, W]` or `[N, H, W, C]`, a colour per plane, by share."""
    planes = cells[:, None] if cells.ndim == 3 else cells
    if planes.shape[-1] < planes.shape[1]:
        planes = np.moveaxis(planes, -1, 1)
    picture = np.tile(GROUND, (len(planes), *planes.shape[2:], 1))
    for number, plane in enumerate(np.moveaxis(planes, 1, 0)):
        share, colour = plane[..., None].astype(np.float32), PALETTE[number % len(PALETTE)]
        picture = (picture + share * (colour.astype(np.float32) - picture)).astype(np.uint8)
    return picture


def _states(states: NDArray[np.int64], count: int) -> NDArray[np.uint8]:
    """Return states `[N]` as the places of a grid that is nearly square."""
    columns = math.isqrt(count - 1) + 1
    rows = -(-count // columns)
    picture = np.tile(GROUND // 2, (len(states), rows * columns, 1))
    picture[:, :count] = GROUND
    picture[np.arange(len(states)), states] = PALETTE[0]
    return picture.reshape(len(states), rows, columns, 3)


def _bars(spec: WorldSpec, observation: Tensor, height: int = 4) -> NDArray[np.uint8]:
    """Return numbers `[N, *]` as bars from the middle of their bounds, one below the other."""
    space = spec.observation_space
    assert isinstance(space, spaces.Box)
    numbers = observation.flatten(1).float()  # [N, D]
    low, high = (torch.from_numpy(b).flatten().float() for b in (space.low, space.high))
    bounded = low.isfinite() & high.isfinite()
    low, high = low.where(bounded, -SPREAD), high.where(bounded, SPREAD)
    width = 2 * height * max(4, math.isqrt(numbers.shape[1]))
    share = ((numbers - low) / (high - low).clamp(min=1e-6)).clamp(0, 1)  # [N, D]
    end = (share * (width - 1)).round().long().numpy()[..., None]  # [N, D, 1]
    place, middle = np.arange(width), width // 2
    inside = (place >= np.minimum(end, middle)) & (place <= np.maximum(end, middle))
    colours = PALETTE[np.arange(numbers.shape[1]) % len(PALETTE)][:, None]  # [D, 1, 3]
    picture = np.where(inside[..., None], colours, GROUND)  # [N, D, W, 3]
    return picture.repeat(height, 1).astype(np.uint8)
