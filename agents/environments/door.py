"""The door to worlds: what they return is made ours here, once, and behind it trusted.

Arrays are copied, since environments use theirs again; cast to the dtype of the space; and refused
where nothing can be learned from them.
"""

from collections.abc import Sequence
from typing import Any, NoReturn

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from nets.foreign import blamed
from nets.returned import LARGEST, InvalidExperience, Returned, as_array

from .parts import COMPOSITES, Part, parts, row_space, side_by_side

Array = NDArray[Any]

LEAVE_THEIR_BOX = ("LunarLander-v3", "LunarLanderContinuous-v3")
"""Worlds of Gymnasium's that return finite numbers beyond the bounds of their own space."""
SLACK = 1e-5
"""How far rounding may take a float beyond a bound, as a share of it."""
REPEATED = 2**16
"""Numbers of observations, up to which each is given bounds of its own."""


class Lost(Exception):
    """What an environment runs in has ended; the message says of what."""


class Door(Returned):
    """Makes arrays of our own of what environments return, `[N, *]` of N of them.

    Observations of several parts become rows (`parts`).

    Args:
        name: what errors call the environment.
        space: of the observations of one; None: they are not taken in.

    Raises:
        TypeError: observations cannot be put in rows.
    """

    def __init__(self, name: str, space: gym.Space | None) -> None:
        super().__init__(name)
        if space is None:
            return
        self._parts = parts(space)
        self._gates = [Gate(self, part.space, part.label) for part in self._parts]
        self._whole = None if isinstance(space, COMPOSITES) else self._gates[0]
        self._dtype = row_space(space).dtype

    def place(self, method: str) -> str:
        """Say whose method was called and when, for errors of the environment's own."""
        return f"the environment {self.name}, in its {method} after {self.steps} steps"

    def raised(self, error: BaseException, method: str) -> BaseException:
        """Return what to raise for an error in an environment's method: its own are its own."""
        if isinstance(error, Lost):
            place = f"{self.name} returned nothing in its {method} after {self.steps} steps"
            return InvalidExperience(f"{place}: {error}")
        return blamed(error, self.place(method))

    def observation(self, value: Any) -> Array:
        """Return the observation of one environment as a row, `[1, *]`.

        Raises:
            InvalidExperience: naming environment, step, value and what was expected.
        """
        if self._whole is not None:
            return self._whole.take(self._whole.array(value)[None], 1)
        return self.listed([value])

    def observations(self, value: Any, count: int) -> Array:
        """Return the observations of `count` environments, `[count, *]`; raises likewise."""
        if self._whole is not None:
            return self._whole.take(value, count)
        columns = [self._part(part, value) for part in self._parts]
        return self._beside(columns, count)

    def listed(self, values: Sequence[Any]) -> Array:
        """Return the observations that a list holds, `[N, *]`; raises likewise."""
        if self._whole is not None:
            return self._whole.take(values, len(values))
        columns = [[self._part(part, value) for value in values] for part in self._parts]
        return self._beside(columns, len(values))

    def _part(self, part: Part, value: Any) -> Any:
        try:
            return part.of(value)
        except (IndexError, KeyError, TypeError):
            self.refuse("an observation without", part.label, "every part of its space")

    def _beside(self, columns: Sequence[Any], count: int) -> Array:
        pairs = zip(self._gates, columns, strict=True)
        return side_by_side([gate.take(column, count) for gate, column in pairs], self._dtype)


class Gate:
    """Takes observations of one space, or of one part of them, in through a door.

    Args:
        door: who refuses what is no member.
        space: Box, Discrete, MultiDiscrete or MultiBinary.
        label: which part, empty for the whole.
    """

    def __init__(self, door: Door, space: gym.Space, label: str) -> None:
        self._door, self._space, self._label = door, space, label
        self._shape, self._dtype = space.shape or (), np.dtype(space.dtype)
        self._bounds = _bounds(space, door.name)
        arrays = self._bounds is not None and isinstance(self._bounds[0], np.ndarray)
        self._repeated = (np.empty(0), np.empty(0)) if arrays and self._shape else None

    def take(self, value: Any, count: int) -> Array:
        """Return a copy of `count` members `[count, *]`, in order, in the dtype of the space."""
        array = value if type(value) is np.ndarray else self.array(value)
        rows = array.copy() if array.dtype is self._dtype else self._cast(array)
        if rows.shape != (count, *self._shape):
            self._refuse_shape(array.shape, count)
        if self._bounds is not None:
            low, high = self._bounds_of(rows)
            inside = (rows >= low) & (rows <= high)  # False for NaN, too
            if np.count_nonzero(inside) < inside.size:  # in a third of the time of `all`
                self._refuse_at(~inside, array)
        return rows

    def array(self, value: Any) -> Array:
        """Return what came in any other form as an array."""
        if value is None or np.ma.is_masked(value):
            self._refuse(value)
        try:
            return as_array(value)
        except ValueError:
            self._refuse(value)

    def _bounds_of(self, rows: Array) -> tuple[Any, Any]:
        """Return the bounds of every number of `rows`, each its own where they are not many.

        To compare all rows with one of bounds takes NumPy up to ten times as long.
        """
        assert self._bounds is not None
        if self._repeated is None or rows.size > REPEATED:
            return self._bounds
        count = len(rows)
        if len(self._repeated[0]) < count:
            low, high = (np.broadcast_to(bound, rows.shape).copy() for bound in self._bounds)
            self._repeated = low, high
        low, high = self._repeated
        return low[:count], high[:count]

    def _cast(self, array: Array) -> Array:
        """Return a copy in the dtype of the space, which must not change whole numbers."""
        if array.dtype == self._dtype:
            return array.copy()
        if array.dtype.kind in "USmM":  # made numbers by NumPy
            self._refuse(array[0] if array.ndim else array)
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                rows = array.astype(self._dtype)
        except (TypeError, ValueError):
            self._refuse(array[0] if array.ndim else array)
        if rows.dtype.kind != "f" and np.count_nonzero(rows != array):
            self._refuse_at(rows != array, array)
        return rows

    def _refuse_at(self, wrong: Array, array: Array) -> NoReturn:
        row, *place = np.argwhere(wrong)[0].tolist()
        label = self._label + (str(place) if place else "")
        what = f"observation{label}" if label else "the observation"
        number, expected = array[row, *place], f"a member of {self._space}"
        if array.dtype.kind == "f" and not abs(number) <= LARGEST:
            expected = "a finite number of 32 bits"
        self._door.refuse(what, number, expected)

    def _refuse_shape(self, shape: tuple[int, ...], count: int) -> NoReturn:
        """Say the shape of an observation, or, where their number is wrong, that of all."""
        if shape[:1] == (count,):
            what = f"an observation{self._label} of shape"
            self._door.refuse(what, shape[1:], str(self._shape))
        what, expected = f"observations{self._label} of shape", (count, *self._shape)
        self._door.refuse(what, shape, f"{expected}, one for each environment")

    def _refuse(self, value: object) -> NoReturn:
        what = f"observation{self._label}" if self._label else "the observation"
        self._door.refuse(what, value, f"a member of {self._space}")


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
    most = min(LARGEST, float(np.finfo(space.dtype).max))  # also of those with 16 bits
    if name in LEAVE_THEIR_BOX:
        return -most, most
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    low, high = low - SLACK * np.abs(low), high + SLACK * np.abs(high)
    limits = np.maximum(low, -most), np.minimum(high, most)
    return tuple(limit.astype(space.dtype) for limit in limits)  # type: ignore[return-value]
