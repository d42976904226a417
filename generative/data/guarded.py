"""Environments side by side, whose rewards and flags are looked at before Gymnasium stores them.

Its vector environments write them into arrays, where `"False"` is true, and no value is told.
"""

from typing import Any

import gymnasium as gym
from gymnasium.vector import SyncVectorEnv, VectorEnv

from nets.returned import Returned


class Guarded(gym.Wrapper):
    """Makes the rewards and flags of an environment a number and booleans, or refuses them.

    Raises:
        InvalidExperience: in `step`, naming environment, step, value and what was expected.
    """

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        self._returned = Returned(str(env) if env.spec is None else env.spec.id)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Step the environment."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        told = self._returned
        told.steps += 1
        flags = told.flag(terminated), told.flag(truncated)
        return observation, float(told.reward(reward)[0]), *flags, info


def guarded(world: VectorEnv) -> VectorEnv:
    """Guard each environment of a vector that is made of some; others are as they are."""
    if isinstance(world, SyncVectorEnv):
        world.envs = [Guarded(env) for env in world.envs]
    return world
