"""The third number world: numbers of one environment, in compiled code.

`Numbers` says what the functions do, and `scalar` computes what it can here, too; a table is an
array, and so are pictures.
"""

# ruff: noqa: D103
from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from numba.extending import overload, register_jitable

from ..numbers import Array, Number, scalar
from .elementary import cos, exp, sin

__all__ = [
    "at", "clip", "cos", "every", "exp", "image", "maximum", "minimum", "nth", "picture", "put",
    "sin", "sqrt", "stack", "take", "where",
]  # fmt: skip

checked = register_jitable(boundscheck=True)  # a place outside is an error, as it is NumPy's


where, every = register_jitable(scalar.where), register_jitable(scalar.every)
image, put = checked(scalar.image), checked(scalar.put)


@register_jitable
def clip(x: Number, low: Number, high: Number) -> Number:
    return minimum(maximum(x, low), high)


@register_jitable
def minimum(a: Number, b: Number) -> Number:
    return a if (a < b) | (a != a) else b  # NaN, as NumPy's


@register_jitable
def maximum(a: Number, b: Number) -> Number:
    return a if (a > b) | (a != a) else b


@checked
def take(table: Array, index: int) -> Number:
    return table[index]


@checked
def picture(pictures: Array, index: int) -> Array:
    return pictures[index].copy()


@register_jitable
def stack(numbers: tuple[Number, ...], dtype: npt.DTypeLike) -> Array:
    stacked = np.empty(len(numbers), dtype)
    _fill(stacked, 0, numbers)
    return stacked


@checked
def at(cells: Array, index: int) -> Number:
    return cells[index]


@register_jitable
def nth(mask: Array, n: int) -> int:
    for k in range(len(mask)):
        n -= mask[k]
        if n < 0:
            return k
    return 0


def _fill(array: Array, k: int, numbers: tuple[Number, ...]) -> None:
    """Write numbers, each of its own type, into an array from index k on."""


@overload(_fill)
def _filling(array: Any, k: Any, numbers: Any) -> Callable[..., None]:
    def none(array: Any, k: Any, numbers: Any) -> None:
        return

    def several(array: Any, k: Any, numbers: Any) -> None:
        array[k] = numbers[0]
        _fill(array, k + 1, numbers[1:])

    return several if len(numbers) else none
