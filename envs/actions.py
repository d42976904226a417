"""From what a caller passes to `step` to what dynamics compute with.

A discrete action reaches the dynamics as one integer. A continuous one reaches them as a tuple of
its components, floats, so that `(torque,) = action` reads the same in every number world.
"""

from operator import index
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.error import InvalidAction

from .numbers import Array


def _array(action: Any, space: gym.Space, hint: str) -> Array:
    try:
        return np.asarray(action)
    except ValueError:  # ragged
        raise _refuse(action, space, hint) from None


def _refuse(action: Any, space: gym.Space, hint: str) -> InvalidAction:
    return InvalidAction(f"action {action!r} is not in {space}: expected {hint}")


class DiscreteActions:
    """Integers in [start, start + n)."""

    def __init__(self, space: gym.spaces.Discrete) -> None:
        self._space = space
        self._low, self._high = int(space.start), int(space.start + space.n)
        self._count = np.uint64(space.n)
        self._hint = f"an integer from {self._low} to {self._high - 1}"

    def one(self, action: Any) -> int:
        """Return the action of one environment as a Python int."""
        try:
            number = index(action)
        except TypeError:
            raise _refuse(action, self._space, self._hint) from None
        if not self._low <= number < self._high:
            raise _refuse(action, self._space, self._hint)
        return number

    def many(self, actions: npt.ArrayLike, num_envs: int) -> npt.NDArray[np.int64]:
        """Return the actions of N environments as int64 `[N]`."""
        hint = f"{num_envs} integers, one per environment"
        array = _array(actions, self._space, hint)
        if array.shape != (num_envs,) or array.dtype.kind not in "iu":
            raise _refuse(actions, self._space, hint)
        array = array.astype(np.int64, copy=False)
        if (array - self._low if self._low else array).view(np.uint64).max() >= self._count:
            bad = np.flatnonzero((array < self._low) | (array >= self._high))[0]
            raise _refuse(array[bad].item(), self._space, f"{self._hint} (environment {bad})")
        return array


class BoxActions:
    """Points of a box with one axis, `[K]`."""

    def __init__(self, space: gym.spaces.Box) -> None:
        if len(space.shape) != 1:
            raise TypeError(f"an action box has one axis, got shape {space.shape}")
        self._space = space
        self._hint = f"{space.shape[0]} numbers from {space.low} to {space.high}"

    def _inside(self, array: Array) -> Any:
        return ((array >= self._space.low) & (array <= self._space.high)).all(axis=-1)

    def one(self, action: Any) -> tuple[float, ...]:
        """Return the action's K components as Python floats."""
        array = _array(action, self._space, self._hint)
        fits = array.shape == self._space.shape and array.dtype.kind in "iuf"
        if not fits or not self._inside(array):
            raise _refuse(action, self._space, self._hint)
        return tuple(map(float, array))

    def many(self, actions: npt.ArrayLike, num_envs: int) -> tuple[npt.NDArray[np.float64], ...]:
        """Return the actions' K components as float64 `[N]` each."""
        hint = f"an array [{num_envs}, {self._space.shape[0]}]"
        array = _array(actions, self._space, hint)
        if array.shape != (num_envs, *self._space.shape) or array.dtype.kind not in "iuf":
            raise _refuse(actions, self._space, hint)
        inside = self._inside(array)
        if not inside.all():
            bad = np.flatnonzero(~inside)[0]
            raise _refuse(array[bad], self._space, f"{self._hint} (environment {bad})")
        return tuple(array.T.astype(np.float64, order="C"))


def action_reader(space: gym.Space) -> DiscreteActions | BoxActions:
    """Return the reader of an action space.

    Raises:
        TypeError: The space is neither Discrete nor a Box with one axis.
    """
    if isinstance(space, gym.spaces.Discrete):
        return DiscreteActions(space)
    if isinstance(space, gym.spaces.Box):
        return BoxActions(space)
    raise TypeError(f"actions are Discrete or Box, got {space}")
