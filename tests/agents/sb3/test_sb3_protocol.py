"""Stable-baselines3's `evaluate_policy` measures our agents as it measures its own."""

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.tabular.temporal_difference import QLearning


class Counted(gym.Env):
    """Episodes of five steps; the reward is the action, so the return tells what was chosen."""

    metadata = {"render_modes": []}

    def __init__(self, render_mode=None):
        self.observation_space = gym.spaces.Box(0.0, 1.0, (3,), np.float32)
        self.action_space = gym.spaces.Discrete(4)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.now = 0
        return self._observation(), {}

    def step(self, action):
        self.now += 1
        return self._observation(), float(action), False, self.now == 5, {}

    def _observation(self):
        return np.full(3, self.now / 10, np.float32)


gym.register("Counted-v0", entry_point=Counted, disable_env_checker=True)


def expected_return(agent):
    observations = np.repeat(np.arange(5) / 10, 3).reshape(5, 3).astype(np.float32)
    return float(agent.q_values(observations).argmax(1).sum())


@pytest.mark.parametrize("dueling", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda: Monitor(gym.make("Counted-v0")),
        lambda: DummyVecEnv([lambda: Monitor(gym.make("Counted-v0"))]),
        lambda: DummyVecEnv([lambda: Monitor(gym.make("Counted-v0"))] * 3),
    ],
    ids=["env", "vector of one", "vector of three"],
)
def test_evaluate_policy_measures_what_the_network_chooses(make, dueling):
    agent = DQN("Counted-v0", DQNConfig(hidden=(16,), dueling=dueling), seed=2)
    returns, lengths = evaluate_policy(agent, make(), 7, return_episode_rewards=True)
    assert returns == [expected_return(agent)] * 7
    assert lengths == [5] * 7


def test_evaluate_policy_explores_when_asked_to():
    agent = DQN("Counted-v0", DQNConfig(hidden=(16,), epsilon_end=1.0), seed=2)
    env = Monitor(gym.make("Counted-v0"))
    mean, spread = evaluate_policy(agent, env, 200, deterministic=False)
    assert mean == pytest.approx(7.5, abs=3 * np.sqrt(5 * 1.25 / 200))  # five uniform actions
    assert spread == pytest.approx(np.sqrt(5 * 1.25), rel=0.2)


def test_evaluate_policy_takes_pictures():
    agent = DQN("dreamgym/Catch-v0", DQNConfig(encoder="small-cnn"), seed=0)
    env = DummyVecEnv([lambda: Monitor(agent.source.make())])
    returns, lengths = evaluate_policy(agent, env, 3, return_episode_rewards=True)
    assert set(returns) <= {-1.0, 1.0}
    assert len(set(lengths)) == 1


def test_evaluate_policy_takes_tables():
    agent = QLearning("dreamgym/Cliff-v0").learn(30_000, progress=False)
    mean, _ = evaluate_policy(agent, Monitor(agent.source.make()), 2)
    assert mean == -13
