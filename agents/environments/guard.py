"""One of several environments: what it returns is made ours before it is put beside the others'.

Gymnasium's vector environments write observations, rewards and flags into arrays, which takes
`"False"` for true and tells nobody which value did not fit.
"""

from typing import Any

import gymnasium as gym
import numpy as np

from .door import Door
from .parts import COMPOSITES


class Guarded(gym.Wrapper):
    """Takes what an environment returns through a door of its own.

    Args:
        env: one of several.
        name: what errors call it.

    Raises:
        InvalidExperience: in `reset` and `step`, naming environment, step, value and what was
            expected.
    """

    def __init__(self, env: gym.Env, name: str) -> None:
        super().__init__(env)
        space = env.observation_space
        self._door = Door(name, space)
        self._composite = isinstance(space, COMPOSITES)
        self._shape, self._dtype = space.shape, space.dtype
        self._discrete = isinstance(env.action_space, gym.spaces.Discrete)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset the environment."""
        observation, info = self._door.begun(self.env.reset(seed=seed, options=options))
        return self._observation(observation), self._door.info(info)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Step the environment."""
        if self._discrete:
            action = int(action)  # as it is given alone
        result = self._door.stepped(self.env.step(action))
        observation, reward, terminated, truncated, info = result
        self._door.steps += 1
        terminated, truncated = self._door.flag(terminated), self._door.flag(truncated)
        if type(reward) is not float:
            reward = float(self._door.reward(reward)[0])
        info = self._door.info(info)
        return self._observation(observation), reward, terminated, truncated, info

    def _observation(self, value: Any) -> Any:
        if type(value) is np.ndarray and (value.dtype, value.shape) == (self._dtype, self._shape):
            return value  # whose numbers are looked at where all are together
        row = self._door.observation(value)
        return value if self._composite else row[0]
