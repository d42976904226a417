"""What may be learned from: finite rewards, observations inside their space."""

import math

import gymnasium as gym
import numpy as np

from .experience import Array

LEAVE_THEIR_BOX = ("LunarLander-v3", "LunarLanderContinuous-v3")
"""Worlds of Gymnasium's that return finite numbers beyond the bounds of their own space."""


class InvalidExperience(ValueError):
    """An environment returned a number that nothing can be learned from."""


class Check:
    """Stops training on rewards or observations that are not finite or not in the space.

    Of the worlds in `LEAVE_THEIR_BOX` observations need only be finite.
    """

    def __init__(self, name: str, space: gym.Space) -> None:
        self._name, self._space, self._shape = name, space, space.shape
        self._bounds: tuple[Array | float, Array | float] | None = None
        if isinstance(space, gym.spaces.Box) and space.dtype != np.bool_:
            floating = np.issubdtype(space.dtype, np.floating)
            span = np.finfo(space.dtype) if floating else np.iinfo(space.dtype)
            low, high = np.maximum(space.low, span.min), np.minimum(space.high, span.max)
            if name in LEAVE_THEIR_BOX:
                low, high = np.full_like(low, span.min), np.full_like(high, span.max)
            if floating or (low > span.min).any() or (high < span.max).any():
                self._bounds = low, high
        elif isinstance(space, gym.spaces.Discrete):
            self._bounds = int(space.start), int(space.start + space.n - 1)
        elif isinstance(space, gym.spaces.MultiDiscrete):
            self._bounds = space.start, space.start + space.nvec - 1

    def __call__(self, observation: Array, reward: Array, step: int) -> None:
        """Check what a step returned: rewards `[N]` and observations `[N, *]`.

        Raises:
            InvalidExperience: naming environment, step and value.
        """
        if not math.isfinite(np.add.reduce(reward)):
            self._fail("the reward", reward[~np.isfinite(reward)][0], "a finite number", step)
        self.observation(observation, step)

    def observation(self, observation: Array, step: int) -> None:
        """Check observations `[N, *]` alone."""
        if self._bounds is None:
            return
        if observation.shape[1:] != self._shape:
            self._fail("an observation of shape", observation.shape[1:], str(self._shape), step)
        low, high = self._bounds
        inside = (observation >= low) & (observation <= high)  # False for NaN, too
        if np.count_nonzero(inside) < inside.size:  # in a third of the time of `all`
            row, *place = np.argwhere(~inside)[0].tolist()
            what = f"observation{place}" if place else "the observation"
            self._fail(what, observation[row, *place], f"a member of {self._space}", step)

    def _fail(self, what: str, value: object, expected: str, step: int) -> None:
        message = f"{self._name} returned {what} {value} at step {step}: expected {expected}"
        raise InvalidExperience(message)
