"""A `Model` played back as an environment."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import InvalidAction, ResetNeeded

from .draws import draw, episode_key, root_of, uniform
from .model import Float, Model, cumulative


class ModelEnv(gym.Env):
    """An environment that plays a `Model` with the counter-based random stream of its seed.

    Observations are states, `Discrete(S)`; actions are `Discrete(A)`. Outcome k of a step is the
    first whose cumulative probability exceeds the step's uniform draw.

    Args:
        model: what to play.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, model: Model) -> None:
        self.model = model
        self.observation_space = gym.spaces.Discrete(model.num_states)
        self.action_space = gym.spaces.Discrete(model.num_actions)
        self._cumulative = cumulative(model.probability)
        self._initial = cumulative(model.initial)
        self._root: int | None = None
        self._episode = self._time = 0
        self._key = self._state = 0
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Begin an episode: the first of `seed`'s stream, or the next of the stream in use."""
        super().reset(seed=seed)
        if seed is not None or self._root is None:
            self._root, self._episode = root_of(self.np_random_seed), 0
        else:
            self._episode += 1
        self._key, self._time, self._over = episode_key(self._root, self._episode), 0, False
        self._state = self._locate(self._initial)
        return self._state, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Take an action; `truncated` is left to the time limit of `gym.make`."""
        if self._over:
            raise ResetNeeded("the episode is over or never began: call reset()")
        if not self.action_space.contains(action):
            raise InvalidAction(f"{action!r} is not an action of {self.action_space}")
        self._time += 1
        model, pair = self.model, (self._state, int(action))
        k = self._locate(self._cumulative[pair])
        self._state = int(model.next_state[pair][k])
        self._over = bool(model.terminated[pair][k])
        return self._state, float(model.reward[pair][k]), self._over, False, {}

    def _locate(self, limits: Float) -> int:
        u = uniform(draw(self._key, self._time, 0))
        return int(np.searchsorted(limits, u, side="right"))


def model_env(model: Model, max_episode_steps: int | None = None) -> gym.Env:
    """Return `gym.make`'s environment of a model, truncated after `max_episode_steps`."""
    spec = EnvSpec(
        id="Model-v0",
        entry_point="agents.tabular.model_env:ModelEnv",
        max_episode_steps=max_episode_steps,
        kwargs={"model": model},
    )
    return gym.make(spec)
