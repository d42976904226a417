"""Members of spaces: one told from several, and those of discrete spaces as table indices."""

import math
from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nets.near import shortened

from .parts import COMPOSITES, Part, counts, parts, row_space, side_by_side


def as_rows(space: Space, members: Any) -> tuple[NDArray[Any], bool]:
    """Return one member of `space`, or N of them, as an array `[N, ...]`, and whether it was one.

    Args:
        space: Box, discrete, or a `Dict` or `Tuple` of such, whose members become rows (`parts`).
        members: one, or N `[N, ...]`; of parts by column, or rows already.

    Raises:
        ValueError: they have another shape than the space, are no whole numbers where it has, or
            not finite.
        TypeError: the space is of another kind.
    """
    if not isinstance(space, COMPOSITES):
        return _as_array(space, members)
    if not isinstance(members, dict | tuple):
        return _as_array(row_space(space), members)
    columns, singles = zip(
        *(_as_array(part.space, _part(part, members)) for part in parts(space)), strict=True
    )
    counted = {len(column) for column in columns}
    if len(counted) > 1:
        told = " and ".join(map(str, sorted(counted)))
        raise ValueError(f"parts of {told} observations were given: expected as many of each")
    return side_by_side(list(columns), row_space(space).dtype), all(singles)


def _part(part: Part, members: Any) -> Any:
    try:
        return part.of(members)
    except (IndexError, KeyError, TypeError):
        what = f"an observation without {part.label} was given"
        raise ValueError(f"{what}: expected every part of its space") from None


def _as_array(space: Space, members: Any) -> tuple[NDArray[Any], bool]:
    if members is None:
        raise ValueError(f"None was given: expected one or several of {space}")
    if isinstance(members, Tensor):
        members = members.detach().cpu()
    try:
        array = given = np.asarray(members)
        if space.dtype is not None and array.dtype != space.dtype:
            array = array.astype(space.dtype)
    except (OverflowError, TypeError, ValueError) as error:
        message = f"{shortened(members)} was given: expected one or several of {space}"
        raise ValueError(message) from error
    if array is not given and array.dtype.kind != "f" and np.count_nonzero(array != given):
        raise ValueError(f"{given.dtype} was given where {space} has {space.dtype}")
    if array.dtype.kind == "f" and not is_finite(array):
        raise ValueError(f"{array[~np.isfinite(array)][0]} was given: expected finite numbers")
    shape = space.shape or ()
    single = array.ndim == len(shape)
    if array.shape[array.ndim - len(shape) :] != shape or array.ndim > len(shape) + 1:
        several = f"({', '.join(map(str, ('N', *shape)))})" if shape else "(N,)"
        raise ValueError(f"the shape {array.shape} was given: expected {shape} or {several}")
    if _beyond(space, array):
        told = shortened(given.tolist())
        raise ValueError(f"{told} was given: expected one or several of {space}")
    return (array[None] if single else array), single


def _beyond(space: Space, array: NDArray[Any]) -> bool:
    """Whether whole numbers are none of those that `space` has."""
    if not isinstance(space, Discrete | MultiDiscrete):
        return False
    counts = space.n if isinstance(space, Discrete) else space.nvec
    index = array - space.start
    return bool(((index < 0) | (index >= counts)).any())


def as_starts(given: Any, count: int) -> NDArray[np.bool_]:
    """Return where episodes begin, bool `[count]`.

    Raises:
        ValueError: it is not told of each.
    """
    if type(given) is np.ndarray and given.dtype == bool and given.shape == (count,):
        return given
    try:
        starts = np.asarray(given).reshape(-1)
    except (RuntimeError, TypeError, ValueError):  # lists of different lengths, for instance
        starts = np.empty(0)
    if len(starts) != count or np.count_nonzero(starts != starts.astype(bool)):
        told, expected = shortened(given), f"True or False, of {count} in all"
        raise ValueError(f"episode_start is {told}: expected {expected}")
    return starts.astype(bool)


def require_numbers(space: object, what: str) -> None:
    """Refuse what is no space, and spaces whose members, or parts of them, hold nothing.

    Raises:
        TypeError: it is no space of Gymnasium's.
        ValueError: there is nothing in it to see or to choose.
    """
    if not isinstance(space, Space):
        raise TypeError(f"{what} is {shortened(space)}: expected one of gymnasium.spaces")
    if isinstance(space, COMPOSITES):
        inner = dict(space.spaces) if isinstance(space, Dict) else dict(enumerate(space.spaces))
        for name, part in inner.items():
            require_numbers(part, f"the part {name!r} of {what}")
        empty = not inner
    else:
        empty = 0 in (space.shape or ())
    if empty:
        raise ValueError(f"{what} is {space}, which holds nothing: expected at least one number")


def is_finite(array: NDArray[Any]) -> bool:
    """Whether floats are all finite, found out by one product, where that does not overflow."""
    return math.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())


def holds_floats(space: Space) -> bool:
    """Whether members of `space` are floating-point numbers."""
    return isinstance(space, Box) and np.issubdtype(space.dtype, np.floating)


def is_like(space: Space, other: Space) -> bool:
    """Whether what is made for members of `space` takes those of `other`; bounds may differ."""
    if isinstance(space, Box) and isinstance(other, Box):
        return space.shape == other.shape and space.dtype == other.dtype
    if type(space) is not type(other) or not isinstance(space, COMPOSITES):
        return space == other
    ours, theirs = parts(space), parts(other)
    return [part.path for part in ours] == [part.path for part in theirs] and all(
        is_like(one.space, another.space) for one, another in zip(ours, theirs, strict=True)
    )


class TableIndex:
    """Numbers the members of a discrete space from 0, the last coordinate varying fastest.

    Args:
        space: `Discrete`, `MultiDiscrete`, or a `Dict` or `Tuple` of them.
        what: what errors call it.

    Attributes:
        size: how many members there are.
        strides: index = coordinates · strides - offset.
        offset: see there.

    Raises:
        ValueError: the space is none of these.
    """

    def __init__(self, space: Space, what: str) -> None:
        found = counts(row_space(space))
        if found is None:
            message = f"{what} is {space}: a table needs Discrete, MultiDiscrete or parts of them"
            raise ValueError(message)
        sizes, starts = found[0].tolist(), found[1].tolist()
        self.size = math.prod(sizes)
        self.strides = [math.prod(sizes[k + 1 :]) for k in range(len(sizes))]
        self.offset = sum(s * start for s, start in zip(self.strides, starts, strict=True))
        self._space = space

    def rows(self, members: ArrayLike) -> list[int]:
        """Return the indices of one member, or of N members `[N, ...]`."""
        rows, _ = as_rows(self._space, members)
        coordinates = rows.reshape(len(rows), -1)  # [N, D]
        indices = coordinates @ self.strides - self.offset  # [N]
        return indices.tolist()
