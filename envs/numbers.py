"""The number worlds that dynamics run in: Python numbers, or NumPy arrays of them.

Both have the same names and give the same bits, so one text of a world's dynamics is a scalar
environment and a vector environment at once. Dynamics receive their number world as `xp`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

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


class Pictures:
    """A constant stack of arrays that every number world can look arrays up in.

    Args:
        images: K arrays, `[K, ...]`.
    """

    def __init__(self, images: npt.ArrayLike) -> None:
        self.array = np.ascontiguousarray(images)


@dataclass(frozen=True)
class Numbers:
    """A number world: what dynamics may use beside operators."""

    where: Callable[[Number, Number, Number], Number]
    """`where(condition, a, b)`: a where the condition holds, else b."""
    clip: Callable[[Number, Number, Number], Number]
    """`clip(x, low, high)`: x limited to [low, high]."""
    minimum: Callable[[Number, Number], Number]
    maximum: Callable[[Number, Number], Number]
    sin: Callable[[Number], Number]
    cos: Callable[[Number], Number]
    exp: Callable[[Number], Number]
    sqrt: Callable[[Number], Number]
    take: Callable[[Table, Number], Number]
    """`take(table, index)`: entries of a table, by flat index."""
    picture: Callable[[Pictures, Number], Array]
    """`picture(pictures, index)`: copies of pictures, `[...]` or `[N, ...]`."""
    image: Callable[..., Array]
    """`image(shape, dtype, *marks)`: zeros with 1 at flat indices, `[*shape]` or `[N, *shape]`."""
    stack: Callable[[Sequence[Number], npt.DTypeLike], Array]
    """`stack(numbers, dtype)`: K numbers side by side, `[K]` or `[N, K]`."""
    every: Callable[[Number], Number]
    """`every(x)`: x beside each of K cells: operators take it and arrays `[K]` or `[N, K]`."""
    at: Callable[[Array, Number], Number]
    """`at(cells, index)`: the number in a cell."""
    put: Callable[[Array, Number, Number], Array]
    """`put(cells, index, x)`: a copy of the cells with x in one of them."""
    nth: Callable[[Array, Number], Number]
    """`nth(mask, n)`: index of the cell that is True after n others; 0 where there is none."""


def _one_image(shape: tuple[int, ...], dtype: npt.DTypeLike, *marks: int) -> Array:
    image = np.zeros(shape, dtype)
    flat = image.reshape(-1)
    for mark in marks:
        flat[mark] = 1
    return image


def _many_images(shape: tuple[int, ...], dtype: npt.DTypeLike, *marks: Array) -> Array:
    images = np.zeros((max(map(np.size, marks)), *shape), dtype)
    flat = images.reshape(-1)
    first = np.arange(0, flat.size, math.prod(shape))
    for mark in marks:
        flat[first + mark] = 1
    return images


def _stack_columns(numbers: Sequence[Array], dtype: npt.DTypeLike) -> Array:
    stacked = np.empty((max(map(np.size, numbers)), len(numbers)), dtype)
    for column, number in enumerate(numbers):
        stacked[:, column] = number
    return stacked


def _put_one(cells: Array, index: int, number: Number) -> Array:
    cells = cells.copy()
    cells[index] = number
    return cells


def _put_many(cells: Array, index: Array, number: Array) -> Array:
    cells = cells.copy()
    cells[np.arange(len(cells)), index] = number
    return cells


scalar = Numbers(
    where=lambda condition, a, b: a if condition else b,
    clip=lambda x, low, high: low if x < low else high if x > high else x,
    minimum=lambda a, b: a if a < b else b,
    maximum=lambda a, b: a if a > b else b,
    # NumPy's functions: those of `math` differ in the last bit (√ is exact in both).
    sin=lambda x: float(np.sin(x)),
    cos=lambda x: float(np.cos(x)),
    exp=lambda x: float(np.exp(x)),
    sqrt=math.sqrt,
    take=lambda table, index: table.list[index],
    picture=lambda pictures, index: pictures.array[index].copy(),
    image=_one_image,
    stack=np.fromiter,
    every=lambda x: x,
    at=lambda cells, index: cells.item(index),
    put=_put_one,
    nth=lambda mask, n: int((mask.cumsum() > n).argmax()),
)
"""Python int, float and bool: five to ten times faster than arrays of one element."""

batch = Numbers(
    where=np.where,
    clip=lambda x, low, high: np.minimum(np.maximum(x, low), high),
    minimum=np.minimum,
    maximum=np.maximum,
    sin=np.sin,
    cos=np.cos,
    exp=np.exp,
    sqrt=np.sqrt,
    take=lambda table, index: table.array.take(index),
    picture=lambda pictures, index: pictures.array.take(index, axis=0),
    image=_many_images,
    stack=_stack_columns,
    every=lambda x: x[:, None],
    at=lambda cells, index: cells[np.arange(len(cells)), index],
    put=_put_many,
    nth=lambda mask, n: (mask.cumsum(axis=1) > n[:, None]).argmax(axis=1),
)
"""NumPy arrays `[N]`, one element per environment."""
