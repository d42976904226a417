"""Value prediction: what is a given policy worth, by temporal differences (curriculum A-TD-04).

An environment whose actions a fixed policy chooses is a Markov reward process: an environment with
one action. There Q(s, ·) = V(s), and SARSA's update is that of TD(λ):

    V(s) ← V(s) + α·[r + γ·V(s') - V(s)]

λ = 0 is TD(0); λ = 1 learns from whole returns, as Monte-Carlo prediction does.

Source: Sutton, 1988, "Learning to predict by the methods of temporal differences".
"""

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike

from ..environments.source import EnvSource
from ..environments.spaces import TableIndex
from .config import SarsaConfig
from .draws import draw, root_of, uniform
from .known import exact_model
from .model import Float, action_probabilities, cumulative
from .model_env import model_env
from .temporal_difference import Sarsa


def td_prediction(
    env: str | gym.Env,
    policy: ArrayLike,
    total_timesteps: int,
    config: SarsaConfig | None = None,
    *,
    seed: int = 0,
) -> Float:
    """Follow a policy for `total_timesteps` steps and return the values learned, `[S]`.

    Args:
        env: an id or an environment with discrete observations and actions.
        policy: actions `[S]` or probabilities `[S, A]`.
        total_timesteps: environment steps.
        config: `discount`, `learning_rate`, `learning_rate_decay`, `trace_decay` and
            `initial_value` matter; there is nothing to explore.
        seed: everything random follows from it.

    Raises:
        ValueError: the spaces are not discrete, or the policy does not fit them.
    """
    source = EnvSource.of(env)
    states = TableIndex(source.observation_space, f"{source.name}: the observation space")
    actions = TableIndex(source.action_space, f"{source.name}: the action space")
    probabilities = action_probabilities(policy, states.size, actions.size)
    model = exact_model(source)
    process: gym.Env
    if model is not None:
        process = model_env(model.under(probabilities), source.max_episode_steps)
    else:
        inner = source.instance if isinstance(source.instance, gym.Env) else source.make()
        process = FollowPolicy(inner, probabilities)
    agent = Sarsa(process, config, seed=seed)
    return agent.learn(total_timesteps, progress=False).values


class FollowPolicy(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """An environment whose only action is to follow a policy.

    Args:
        env: with discrete observations and actions.
        policy: probabilities `[S, A]`.
    """

    def __init__(self, env: gym.Env, policy: Float) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, policy=policy)
        gym.Wrapper.__init__(self, env)
        self._states = TableIndex(env.observation_space, "the observation space")
        self._first = int(getattr(env.action_space, "start", 0))
        self._limits = cumulative(policy)
        self._key = self._step = 0
        self._observation: Any = None
        self.action_space = gym.spaces.Discrete(1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset; a seed begins the policy's own stream of choices anew, too."""
        if seed is not None:
            self._key, self._step = root_of(seed), 0
        self._observation, info = self.env.reset(seed=seed, options=options)
        return self._observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take the action that the policy draws in the present state; `action` is 0."""
        self._step += 1
        (state,) = self._states.rows(self._observation)
        u = uniform(draw(self._key, self._step, 0))
        chosen = self._first + int(np.searchsorted(self._limits[state], u, side="right"))
        result = self.env.step(chosen)
        self._observation = result[0]
        return result
