"""The door to worlds: what they return is made ours here, once, and behind it trusted.

Arrays are copied, since environments use theirs again; cast to the dtype of the space; and refused
where nothing can be learned from them.
"""

from typing import Any, NoReturn

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]

LEAVE_THEIR_BOX = ("LunarLander-v3", "LunarLanderContinuous-v3")
"""Worlds of Gymnasium's that return finite numbers beyond the bounds of their own space."""
LARGEST = float(np.finfo(np.float32).max)
"""Numbers beyond are infinite where they are learned from."""
SLACK = 1e-5
"""How far rounding may take a float beyond a bound, as a share of it."""


class InvalidExperience(ValueError):
    """An environment returned what nothing can be learned from."""


class Door:
    """Makes arrays of our own of what environments return, `[N, *]` of N of them.

    Args:
        name: what errors call the environment.
        space: of the observations of one.

    Attributes:
        steps: how many have been taken, for errors to tell.
    """

    def __init__(self, name: str, space: gym.Space) -> None:
        self.steps = 0
        self._name, self._space = name, space
        self._tuple = isinstance(space, gym.spaces.Tuple)
        if isinstance(space, gym.spaces.Tuple):  # of Discrete: a row of numbers
            space = _beside(space)
        self._shape, self._dtype = space.shape, np.dtype(space.dtype)
        self._bounds = _bounds(space, name)

    def observation(self, value: ArrayLike) -> Array:
        """Return the observation of one environment as a row, `[1, *]`.

        Raises:
            InvalidExperience: naming environment, step, value and what was expected.
        """
        return self.observations(self._array(value)[None], 1)

    def observations(self, value: ArrayLike, count: int) -> Array:
        """Return the observations of `count` environments, `[count, *]`; raises likewise."""
        array = value if type(value) is np.ndarray else self._array(value)
        rows = array.copy() if array.dtype is self._dtype else self._cast(array)
        if rows.shape[1:] != self._shape or len(rows) != count:
            shape = array.shape[1:] if len(rows) == count else array.shape
            self._refuse("an observation of shape", shape, str(self._shape))
        if self._bounds is not None:
            low, high = self._bounds
            inside = (rows >= low) & (rows <= high)  # False for NaN, too
            if np.count_nonzero(inside) < inside.size:  # in a third of the time of `all`
                self._refuse_at(~inside, array, f"a member of {self._space}")
        return rows

    def reward(self, value: Any) -> Array:
        """Return the reward of one environment, float64 `[1]`; raises likewise."""
        if type(value) is float and -LARGEST <= value <= LARGEST:
            return np.array([value])
        return self.rewards(value, 1)

    def rewards(self, value: Any, count: int) -> Array:
        """Return the rewards of `count` environments, float64 `[count]`; raises likewise."""
        try:
            rows = np.asarray(value).astype(np.float64).reshape(-1)
        except (TypeError, ValueError):
            self._refuse("the reward", value, "a number")
        if len(rows) != count:
            self._refuse("rewards of shape", np.shape(value), f"({count},)")
        size = np.abs(rows)
        if not np.maximum.reduce(size) <= LARGEST:  # not so of NaN, too
            bad = rows[~(size <= LARGEST)][0]
            self._refuse("the reward", bad, "a finite number of 32 bits")
        return rows

    def flags(self, value: Any, count: int) -> Array:
        """Return the flags of `count` environments, bool `[count]`; raises likewise."""
        rows = np.asarray(value).astype(bool).reshape(-1)
        if len(rows) != count:
            self._refuse("flags of shape", np.shape(value), f"({count},)")
        return rows

    def _array(self, value: Any) -> Array:
        """Return what came in any other form as an array, a tuple of columns side by side."""
        if self._tuple and isinstance(value, tuple):
            return np.stack([np.asarray(column) for column in value], axis=-1)
        try:
            return np.asarray(value)
        except ValueError:  # lists of different lengths
            self._refuse("the observation", value, f"a member of {self._space}")

    def _cast(self, array: Array) -> Array:
        """Return a copy in the dtype of the space, which must not change whole numbers."""
        if array.dtype == self._dtype:
            return array.copy()
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                rows = array.astype(self._dtype)
        except (TypeError, ValueError):
            self._refuse("the observation", array[0], f"a member of {self._space}")
        if rows.dtype.kind != "f" and np.count_nonzero(rows != array):
            self._refuse_at(rows != array, array, f"a member of {self._space}")
        return rows

    def _refuse_at(self, wrong: Array, array: Array, expected: str) -> NoReturn:
        row, *place = np.argwhere(wrong)[0].tolist()
        what = f"observation{place}" if place else "the observation"
        self._refuse(what, array[row, *place], expected)

    def _refuse(self, what: str, value: object, expected: str) -> NoReturn:
        said = f"{self._name} returned {what} {value} at step {self.steps}"
        raise InvalidExperience(f"{said}: expected {expected}")


def _beside(space: gym.spaces.Tuple) -> gym.Space:
    """Return the space of rows whose columns are the parts of `space`, all of them Discrete."""
    parts = [part for part in space.spaces if isinstance(part, gym.spaces.Discrete)]
    if len(parts) < len(space.spaces):
        return space
    sizes, starts = [int(part.n) for part in parts], [int(part.start) for part in parts]
    return gym.spaces.MultiDiscrete(sizes, start=starts)


def _bounds(space: gym.Space, name: str) -> tuple[Any, Any] | None:
    """Return the least and the largest number that an entry may be; None: any of its dtype."""
    if isinstance(space, gym.spaces.Discrete):
        return int(space.start), int(space.start + space.n - 1)
    if isinstance(space, gym.spaces.MultiBinary):
        return 0, 1
    if isinstance(space, gym.spaces.MultiDiscrete):
        return space.start, space.start + space.nvec - 1
    if not isinstance(space, gym.spaces.Box) or space.dtype == np.bool_:
        return None
    if not np.issubdtype(space.dtype, np.floating):
        span = np.iinfo(space.dtype)
        bounded = (space.low > span.min).any() or (space.high < span.max).any()
        return (space.low, space.high) if bounded else None
    if name in LEAVE_THEIR_BOX:
        return -LARGEST, LARGEST
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    low, high = low - SLACK * np.abs(low), high + SLACK * np.abs(high)
    limits = np.maximum(low, -LARGEST), np.minimum(high, LARGEST)
    return tuple(limit.astype(space.dtype) for limit in limits)  # type: ignore[return-value]
