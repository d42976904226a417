"""Sprites: the dSprites factor grid (Matthey et al. 2017), drawn anew from its geometry.

Three shapes in six scales, forty orientations and 32 x 32 places: 737,280 white figures on black,
with labels that are exact. As published, orientations run from 0 to 2π with both ends, so the last
repeats the first; `sprites:orientation=:39,...` leaves the repeat out.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nets.registry import Registry

from .dataset import Dataset, chosen

Array = NDArray[Any]

SHAPES = ("square", "ellipse", "heart")
GRID: Mapping[str, Array] = {  # the values of each factor
    "shape": np.arange(3),
    "scale": np.linspace(0.5, 1.0, 6),
    "orientation": np.linspace(0.0, 2 * np.pi, 40),
    "x": np.linspace(0.0, 1.0, 32),
    "y": np.linspace(0.0, 1.0, 32),
}
FIXED = {"shape": 2, "scale": 5, "orientation": 0, "x": 16, "y": 16}  # where not varied
SIDE = 64  # pixels of the published frame, the unit of all lengths here
HALF_SQUARE = 9.6
HALF_AXES = (12.8, 7.2)
_REACH = HALF_SQUARE * math.sqrt(2.0)  # no point of a figure is farther from its centre
_FINE = 512  # entries per pixel of the heart's tables


def sprites(
    factors: str = "", *, size: int | None = None, limit: int | None = None, seed: int = 0
) -> Dataset:
    """Draw the grid or a part of it.

    Args:
        factors: what varies, with commas: `shape,scale,x,y`; a factor that is not named stays at a
            heart of scale 1, upright, in the middle. `x=::2` varies over a slice of the values,
            `scale=3` and `shape=square` fix one. Empty: all of the grid.
        size: side of the pictures in pixels, 64 by default.
        limit: at most so many pictures, chosen at random and kept in order.
        seed: of the choice.

    Returns:
        Pictures uint8 `[N, 1, size, size]` of 0 and 255, in the order of the grid (shape slowest,
        y fastest); the factors that vary, counted from 0; the shapes as classes if they vary.
        They are exhaustive unless `limit` leaves some out.

    Raises:
        ValueError: no such factor, value or slice; nothing varies; or `size` is below 8.
    """
    kept = parse_factors(factors)
    varied = [name for name in GRID if len(kept[name]) > 1]
    if not varied:
        raise ValueError(f"sprites:{factors} is one picture: let at least one factor vary")
    dims = [len(kept[name]) for name in GRID]
    rows = np.arange(math.prod(dims))
    if limit is not None and limit < len(rows):
        rows = chosen(len(rows), limit, seed).numpy()
    labels = dict(zip(GRID, np.unravel_index(rows, dims), strict=True))
    values = {name: GRID[name][kept[name]][labels[name]] for name in GRID}
    shapes = tuple(SHAPES[index] for index in kept["shape"])
    return Dataset(
        name=f"sprites:{factors}" if factors else "sprites",
        x=torch.from_numpy(draw_sprites(**values, size=SIDE if size is None else size)[:, None]),
        labels=torch.from_numpy(labels["shape"]) if "shape" in varied else None,
        class_names=shapes if "shape" in varied else (),
        factors=torch.from_numpy(np.stack([labels[name] for name in varied], axis=1)),
        factor_names=tuple(varied),
        exhaustive=len(rows) == math.prod(dims),
    )


def parse_factors(text: str) -> dict[str, Array]:
    """Return the indices `[K]` that each factor takes, in the grid's order.

    Raises:
        ValueError: a factor, value or slice is unknown or empty.
    """
    names = Registry("factor of sprites", dict.fromkeys(GRID, 0))
    everything = {name: np.arange(len(values)) for name, values in GRID.items()}
    if not text.strip():
        return everything
    kept = {name: everything[name][[index]] for name, index in FIXED.items()}
    for term in text.split(","):
        given, _, which = (part.strip() for part in term.partition("="))
        name = names.canonical(given)
        kept[name] = everything[name][_indices(name, which)] if which else everything[name]
        if len(kept[name]) == 0:
            raise ValueError(f"{term.strip()!r} of sprites holds no value")
    return kept


def draw_sprites(
    shape: Array, scale: Array, orientation: Array, x: Array, y: Array, *, size: int = SIDE
) -> Array:
    """Draw one figure per row, `[N]` each; a pixel is white if its centre lies in the figure.

    With the centre (16 + 32x, 16 + 32y), the offset d of a pixel from it, the orientation θ and
    the scale s, the figure is tested at u = (cos θ dx - sin θ dy)/s, v = (sin θ dx + cos θ dy)/s.

    Args:
        shape: 0 square, 1 ellipse, 2 heart.
        scale: in (0, 1].
        orientation: in radians.
        x: of the centre, in [0, 1].
        y: of the centre, in [0, 1].
        size: side of the pictures, the frame of 64 units divided in so many pixels.

    Returns:
        uint8 `[N, size, size]` of 0 and 255.

    Raises:
        ValueError: `size` is below 8.
    """
    if size < 8:
        raise ValueError(f"size is {size}: expected at least 8 pixels")
    unit = SIDE / size
    centres = (np.arange(size) + 0.5) * unit
    cos = _single(np.cos(orientation) / scale)[:, None, None]  # [N, 1, 1]
    sin = _single(np.sin(orientation) / scale)[:, None, None]
    images = np.zeros((len(shape), size, size), np.uint8)
    for rows in _same_place(shape, x, y):
        figure, first = _INSIDE[int(shape[rows[0]])], rows[0]
        across, down = _window(x[first], centres), _window(y[first], centres)
        dx = _single(centres[across] - (16 + 32 * x[first]))  # [w]
        dy = _single(centres[down] - (16 + 32 * y[first]))[:, None]  # [h, 1]
        c, s = cos[rows], sin[rows]
        inside = figure(c * dx - s * dy, s * dx + c * dy)  # [n, h, w]
        images[rows, down, across] = inside.view(np.uint8) * np.uint8(255)
    return images


def _single(values: Array) -> Array:
    return np.asarray(values, np.float32)


def _same_place(shape: Array, x: Array, y: Array) -> Sequence[Array]:
    """Return the rows of each shape at each place: they share the pixels to be looked at."""
    order = np.lexsort((shape, y, x))
    keys = np.stack([shape, x, y])[:, order]
    breaks = (keys[:, 1:] != keys[:, :-1]).any(axis=0).nonzero()[0] + 1
    return np.split(order, breaks)


def _window(position: float, centres: Array) -> slice:
    """Return the pixels that a figure there can reach along one axis."""
    middle = 16 + 32 * position
    low, high = np.searchsorted(centres, (middle - _REACH, middle + _REACH))
    return slice(int(low), int(high))


def _in_square(u: Array, v: Array) -> Array:
    """max(|u|, |v|) < 9.6."""
    return (np.abs(u) < HALF_SQUARE) & (np.abs(v) < HALF_SQUARE)


def _in_ellipse(u: Array, v: Array) -> Array:
    """(u/12.8)² + (v/7.2)² < 1."""
    u, v = u / np.float32(HALF_AXES[0]), v / np.float32(HALF_AXES[1])
    return u * u + v * v < 1


def _in_heart(u: Array, v: Array) -> Array:
    """inner(v) < |u| < outer(v): the heart is symmetric, and its lobes leave a notch."""
    top, inner, outer = heart_table()
    row = ((v - top) * _FINE).astype(np.int32).clip(0, len(inner) - 1)
    width = np.abs(u)
    return (inner[row] < width) & (width < outer[row])


_INSIDE = (_in_square, _in_ellipse, _in_heart)


def heart_outline(p: Array) -> tuple[Array, Array]:
    """Return the heart's outline at the angles `p`; y points down, the tip is at p = π."""
    x = 6.962 * np.sin(p) - 2.621 * np.sin(3 * p)
    y = -1.157 - 8.571 * np.cos(p) + 3.685 * np.cos(2 * p)
    return x, y + 1.545 * np.cos(3 * p) + 0.721 * np.cos(4 * p)


@cache
def heart_table() -> tuple[np.float32, Array, Array]:
    """Return the heart's top, and how far its inside reaches in rows of 1/512 pixel below."""
    x, y = heart_outline(np.linspace(0.0, np.pi, 100_001))
    peak = int(y.argmin())  # from the notch up to the lobe's peak, then down to the tip
    rows = np.arange(y[peak], y[-1], 1 / _FINE) + 0.5 / _FINE
    inner = np.interp(rows, y[peak::-1], x[peak::-1], right=0.0)
    outer = np.interp(rows, y[peak:], x[peak:])  # below 0 in a loop of 0.2 pixels at the tip
    inner[rows > y[0]] = -1.0  # below the notch the middle is inside
    inner, outer = (np.pad(_single(a), 1, constant_values=-1.0) for a in (inner, outer))
    return np.float32(y[peak] - 1 / _FINE), inner, outer


def _indices(name: str, which: str) -> list[int] | slice:
    """Read `3`, `heart` or `start:stop:step`."""
    count = len(GRID[name])
    if name == "shape" and which[0].isalpha():
        return [SHAPES.index(Registry("shape of sprites", dict.fromkeys(SHAPES)).canonical(which))]
    try:
        numbers = [int(part) if part.strip() else None for part in which.split(":")]
    except ValueError:
        numbers = []
    match numbers:
        case [int(index)] if 0 <= index < count:
            return [index]
        case [_, _] | [_, _, _] if numbers[2:] != [0]:
            return slice(*numbers)
    message = f"{name}={which} of sprites: expected an index below {count}"
    raise ValueError(f"{message}, or a slice such as ::2")
