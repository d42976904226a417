"""Observations of several parts, Dict and Tuple, as one row of numbers each.

A row holds its parts flat, side by side, so that everything behind the door knows arrays only; the
network takes them apart again.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

LEAVES = (
    gym.spaces.Box,
    gym.spaces.Discrete,
    gym.spaces.MultiDiscrete,
    gym.spaces.MultiBinary,
)
COMPOSITES = (gym.spaces.Dict, gym.spaces.Tuple)


class Part(NamedTuple):
    """A part of an observation, and where a row has it."""

    path: tuple[str | int, ...]
    space: gym.Space
    columns: slice

    def of(self, member: Any) -> Any:
        """Return this part of a member of the whole space, or of a batch by columns."""
        for key in self.path:
            member = member[key]
        return member

    @property
    def label(self) -> str:
        """How errors name it."""
        return "".join(f"[{key!r}]" for key in self.path)


def parts(space: gym.Space) -> list[Part]:
    """Return the parts of `space` in the order in which a row has them; of others, the whole.

    Raises:
        TypeError: a part is of another kind than Box, Discrete, MultiDiscrete and MultiBinary.
    """
    found, start = [], 0
    for path, leaf in _leaves(space, ()):
        end = start + math.prod(leaf.shape or ())
        found.append(Part(path, leaf, slice(start, end)))
        start = end
    return found


def row_space(space: gym.Space) -> gym.Space:
    """Return the space of rows: `space` itself, or one of vectors where it has parts.

    Rows of discrete parts are int64, of parts of bytes uint8, of others float32.

    Raises:
        TypeError: see `parts`.
    """
    if not isinstance(space, COMPOSITES):
        return space
    found = parts(space)
    counted = [counts(part.space) for part in found]
    if None not in counted:
        sizes, starts = zip(*filter(None, counted), strict=True)
        return gym.spaces.MultiDiscrete(np.concatenate(sizes), start=np.concatenate(starts))
    size = found[-1].columns.stop
    if all(part.space.dtype == np.uint8 for part in found):
        return gym.spaces.Box(0, 255, (size,), np.uint8)
    return gym.spaces.Box(-np.inf, np.inf, (size,), np.float32)


def counts(space: gym.Space) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return how many values each coordinate of a discrete space has, and the least; else None."""
    if isinstance(space, gym.spaces.Discrete):
        return np.array([space.n]), np.array([space.start])
    if isinstance(space, gym.spaces.MultiDiscrete):
        return space.nvec.ravel(), space.start.ravel()
    return None


def side_by_side(columns: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    """Return rows `[N, D]` of parts `[N, *]` each."""
    flat = [column.reshape(len(column), -1) for column in columns]
    return np.concatenate(flat, axis=1, dtype=dtype, casting="unsafe")


def _leaves(
    space: gym.Space, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], gym.Space]]:
    if isinstance(space, gym.spaces.Dict):
        for key, part in space.spaces.items():
            yield from _leaves(part, (*path, key))
    elif isinstance(space, gym.spaces.Tuple):
        for place, part in enumerate(space.spaces):
            yield from _leaves(part, (*path, place))
    elif isinstance(space, LEAVES):
        yield path, space
    else:
        where = f"the part {list(path)} is {space}" if path else f"they are {space}"
        expected = "expected Box, Discrete, MultiDiscrete, MultiBinary, or a Dict or Tuple of them"
        hint = " (gymnasium.wrappers.FilterObservation leaves parts out)" if path else ""
        raise TypeError(f"observations cannot be put in rows: {where}; {expected}{hint}")
