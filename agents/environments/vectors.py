"""Several environments side by side, in the form that was asked for."""

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from nets.returned import InvalidExperience

from .door import Lost
from .guard import Guarded
from .masks import Telling
from .raw_returns import metered
from .workers import Processes

OWN = "vector_entry_point"
VECTORIZATIONS = ("sync", "async", OWN)
"""Forms, in the words of `gym.make_vec`."""


class Choices(gym.spaces.MultiDiscrete):
    """Equal to a space of Gymnasium's, and tells its members in a quarter of the time.

    Worlds in a vector form of their own may ask it in every step.
    """

    def __init__(self, space: gym.spaces.MultiDiscrete) -> None:
        super().__init__(space.nvec, space.dtype, start=space.start)
        self._last = space.start + (space.nvec - 1)

    def contains(self, x: Any) -> bool:
        """Whether `x` is a member."""
        if type(x) is np.ndarray and x.dtype == self.dtype and x.shape == self.shape:
            return not np.count_nonzero((x < self.start) | (x > self._last))
        return super().contains(x)


def make_vector(
    spec: EnvSpec, num_envs: int, form: str | None = None, *, masks: bool = False
) -> VectorEnv:
    """Make `num_envs` environments of a spec, in SAME_STEP mode where they have that.

    Args:
        spec: of each.
        num_envs: how many.
        form: one of `VECTORIZATIONS`; None prefers the environment's own.
        masks: whether infos are to tell which actions are allowed, where a method says it.

    Raises:
        InvalidExperience: a process ended while it made its environment.
    """
    same_step: dict[str, Any] = {"autoreset_mode": AutoresetMode.SAME_STEP}
    if form in (None, OWN) and _has_own(spec):
        try:
            env = gym.make_vec(spec, num_envs=num_envs, **same_step)
        except TypeError:  # it has no choice of modes
            env = gym.make_vec(spec, num_envs=num_envs)
        own = env.unwrapped
        if type(own.action_space) is gym.spaces.MultiDiscrete:
            own.action_space = Choices(own.action_space)
        return env
    kind = Processes if form == "async" else SyncVectorEnv
    make = partial(_make, spec, masks)
    try:
        return kind([make] * num_envs, **same_step)
    except Lost as lost:
        raise InvalidExperience(f"{spec.id} was not made: {lost}") from None


def _make(spec: EnvSpec, masks: bool) -> gym.Env:
    env = metered(gym.make(spec))
    return Guarded(Telling(env) if masks else env, spec.id)


def _has_own(spec: EnvSpec) -> bool:
    """Whether there is a vector form that is wrapped, and cut off, as the environment is."""
    registered = gym.registry.get(spec.id, spec)
    unlimited = spec.max_episode_steps is None and registered.max_episode_steps is not None
    return bool(spec.vector_entry_point and not spec.additional_wrappers and not unlimited)
