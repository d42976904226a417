"""Discrete spaces as table indices."""

import math

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import ArrayLike


class TableIndex:
    """Numbers the members of a discrete space from 0, the last coordinate varying fastest.

    Args:
        space: `Discrete`, `MultiDiscrete`, or a `Tuple` of `Discrete`.
        what: what errors call it.

    Attributes:
        size: how many members there are.
        strides: index = coordinates · strides - offset.
        offset: see there.

    Raises:
        ValueError: the space is none of these.
    """

    def __init__(self, space: Space, what: str) -> None:
        members = space.spaces if isinstance(space, spaces.Tuple) else (space,)
        parts = [part for part in members if isinstance(part, spaces.Discrete)]
        if isinstance(space, spaces.MultiDiscrete):
            sizes, starts = space.nvec.ravel().tolist(), space.start.ravel().tolist()
        elif len(parts) == len(members):
            sizes, starts = [int(p.n) for p in parts], [int(p.start) for p in parts]
        else:
            message = f"{what} is {space}: a table needs Discrete, MultiDiscrete or a Tuple of them"
            raise ValueError(message)
        self.size = math.prod(sizes)
        self.strides = [math.prod(sizes[k + 1 :]) for k in range(len(sizes))]
        self.offset = sum(s * start for s, start in zip(self.strides, starts, strict=True))
        self._composite = isinstance(space, spaces.Tuple)
        self._ndim = 0 if isinstance(space, spaces.Discrete) else 1

    def rows(self, members: ArrayLike) -> tuple[list[int], bool]:
        """Return the indices of one member or of N members `[N, ...]`, and whether it was one."""
        if self._composite and isinstance(members, tuple):  # one entry, or column, per part
            members = np.stack(members, axis=-1)
        array = np.asarray(members)
        single = array.ndim == self._ndim
        coordinates = array.reshape(1 if single else len(array), -1)  # [N, D]
        indices = coordinates @ self.strides - self.offset  # [N]
        return indices.tolist(), single
