"""Rows that only reset count for nothing, also where there are no others in a minibatch."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from agents.policy_gradient.a2c import A2C
from agents.policy_gradient.config import A2CConfig, PPOConfig
from agents.policy_gradient.ppo import PPO

pytestmark = pytest.mark.filterwarnings("ignore:.*cannot be made anew")


class Bandit(gym.Env):
    """Episodes of one step: every second row of copies that reset in the next step only resets."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (2,))
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        return np.ones(2, np.float32), float(action), True, False, {}


@pytest.mark.parametrize("kernel", ["torch", "fused"])
@pytest.mark.parametrize(
    ("algorithm", "config"),
    [
        (PPO, PPOConfig(n_steps=8, batch_size=2, learning_rate=0.01)),
        (PPO, PPOConfig(n_steps=1, batch_size=3, learning_rate=0.01)),
        (PPO, PPOConfig(n_steps=1, batch_size=4, normalize_over="rollout", learning_rate=0.01)),
        (A2C, A2CConfig(n_steps=1, learning_rate=0.01)),
    ],
    ids=["minibatches", "columns", "rollout", "a2c"],
)
def test_minibatches_of_rows_that_only_reset_teach_nothing(algorithm, config, kernel):
    if kernel == "fused":
        pytest.importorskip("numba")
    world = SyncVectorEnv([Bandit] * 4, autoreset_mode=AutoresetMode.NEXT_STEP)
    agent = algorithm(world, replace(config, kernel=kernel), seed=0)
    agent.learn(2_000, progress=False)
    drawn, _ = agent.act(np.zeros((4, 2), np.float32), np.ones(4, bool))
    assert all(parameter.isfinite().all() for parameter in agent.network.module.parameters())
    assert drawn.shape == (4,)
