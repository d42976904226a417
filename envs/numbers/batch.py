"""NumPy arrays `[N]`, one element per environment.

`Numbers` says what the functions do.
"""

# ruff: noqa: D103
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy import cos, exp, maximum, minimum, sin, sqrt, where

from . import Array, Number, Pictures, Table

__all__ = [
    "at", "clip", "cos", "every", "exp", "image", "maximum", "minimum", "nth", "picture", "put",
    "sin", "sqrt", "stack", "take", "where",
]  # fmt: skip


def clip(x: Number, low: Number, high: Number) -> Number:
    return minimum(maximum(x, low), high)


def take(table: Table, index: Array) -> Array:
    return table.array.take(index)


def picture(pictures: Pictures, index: Array) -> Array:
    return pictures.array.take(index, axis=0)


def image(shape: tuple[int, ...], dtype: npt.DTypeLike, *marks: Array) -> Array:
    zeros = np.zeros((max(map(np.size, marks)), *shape), dtype)
    flat = zeros.reshape(-1)
    first = np.arange(0, flat.size, math.prod(shape))
    for mark in marks:
        flat[first + mark] = 1
    return zeros


def stack(numbers: Sequence[Array], dtype: npt.DTypeLike) -> Array:
    stacked = np.empty((max(map(np.size, numbers)), len(numbers)), dtype)
    for column, number in enumerate(numbers):
        stacked[:, column] = number
    return stacked


def every(x: Array) -> Array:
    return x[:, None]


def at(cells: Array, index: Array) -> Array:
    return cells[np.arange(len(cells)), index]


def put(cells: Array, index: Array, x: Array) -> Array:
    cells = cells.copy()
    cells[np.arange(len(cells)), index] = x
    return cells


def nth(mask: Array, n: Array) -> Array:
    return (mask.cumsum(axis=1) > n[:, None]).argmax(axis=1)
