"""The number worlds that dynamics run in: Python numbers, or NumPy arrays of them.

Two modules, `scalar` and `batch`, have the same functions and give the same bits, so one text of a
world's dynamics is a scalar environment and a vector environment at once. Dynamics receive one of
the two as `xp`.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Number = Any
"""A Python number in the scalar world, an array `[N]` of them in the batch world."""

Array = npt.NDArray[Any]


class Table:
    """A constant array that every number world can look numbers up in.

    Args:
        values: Any array; it is flattened in C order.
    """

    def __init__(self, values: npt.ArrayLike) -> None:
        self.array = np.ascontiguousarray(values).ravel()
        self.list: list[Any] = self.array.tolist()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.list)} values)"


class Pictures:
    """A constant stack of arrays that every number world can look arrays up in.

    Args:
        images: K arrays, `[K, ...]`.
    """

    def __init__(self, images: npt.ArrayLike) -> None:
        self.array = np.ascontiguousarray(images)


class Numbers(Protocol):
    """What dynamics may use beside operators; `scalar` and `batch` are such modules."""

    def where(self, condition: Number, a: Number, b: Number, /) -> Number:
        """Return a where the condition holds, else b."""

    def clip(self, x: Number, low: Number, high: Number, /) -> Number:
        """Return x limited to [low, high]."""

    def minimum(self, a: Number, b: Number, /) -> Number:
        """Return the smaller one."""

    def maximum(self, a: Number, b: Number, /) -> Number:
        """Return the larger one."""

    def sin(self, x: Number, /) -> Number:
        """Return the sine."""

    def cos(self, x: Number, /) -> Number:
        """Return the cosine."""

    def exp(self, x: Number, /) -> Number:
        """Return e to the power of x."""

    def sqrt(self, x: Number, /) -> Number:
        """Return the square root."""

    def take(self, table: Table, index: Number, /) -> Number:
        """Return entries of a table, by flat index."""

    def picture(self, pictures: Pictures, index: Number, /) -> Array:
        """Return copies of pictures, `[...]` or `[N, ...]`."""

    def image(self, shape: tuple[int, ...], dtype: npt.DTypeLike, /, *marks: Number) -> Array:
        """Return zeros with 1 at flat indices, `[*shape]` or `[N, *shape]`."""

    def stack(self, numbers: Sequence[Number], dtype: npt.DTypeLike, /) -> Array:
        """Return K numbers side by side, `[K]` or `[N, K]`."""

    def every(self, x: Number, /) -> Number:
        """Return x beside each of K cells: operators take it and arrays `[K]` or `[N, K]`."""

    def at(self, cells: Array, index: Number, /) -> Number:
        """Return the number in a cell."""

    def put(self, cells: Array, index: Number, x: Number, /) -> Array:
        """Return a copy of the cells with x in one of them."""

    def nth(self, mask: Array, n: Number, /) -> Number:
        """Return the index of the cell that is True after n others; 0 where there is none."""
