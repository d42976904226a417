"""DQN that explores by noise in its weights."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.loop.evaluation import evaluate
from nets.layers.noisy import NoisyLinear
from nets.process.seeding import seeded

CONFIG = DQNConfig(hidden=(16,), noisy=True, learning_starts=60, batch_size=16, target_every=50)


class Lever(gym.Env):
    """Two levers; the second pays 1, the first 0.5."""

    metadata = {"render_modes": []}

    def __init__(self, render_mode=None):
        self.observation_space = gym.spaces.Box(1.0, 1.0, (1,), np.float32)
        self.action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.ones(1, np.float32), {}

    def step(self, action):
        return np.ones(1, np.float32), 0.5 + 0.5 * float(action), True, False, {}


gym.register("Lever-v0", entry_point=Lever, disable_env_checker=True)


def test_all_dense_layers_are_noisy_and_nothing_else_explores():
    agent = DQN("CartPole-v1", DQNConfig(hidden=(16, 8), noisy=True, dueling=True, noise_std=0.3))
    layers = [m for m in agent.online.module.modules() if isinstance(m, NoisyLinear)]
    assert len(layers) == 4
    assert layers[0].weight_std[0, 0].item() == pytest.approx(0.3 / 2)  # four inputs
    for steps in (0, 500, 10**6):
        agent.steps = steps
        assert agent.epsilon == 0.0


def test_noise_decides_while_acting_and_not_in_a_greedy_prediction():
    agent = DQN("CartPole-v1", CONFIG, seed=0)
    rng = np.random.default_rng(0)
    observation = rng.normal(scale=0.1, size=(1, 4)).astype(np.float32)
    start = np.zeros(1, bool)
    with seeded(0):
        actions = {int(agent.act(observation, start)[0][0]) for _ in range(60)}
        loose = {int(agent.predict(observation[0])[0]) for _ in range(60)}
        state = torch.random.get_rng_state()
        greedy = {int(agent.predict(observation[0], deterministic=True)[0]) for _ in range(10)}
        assert torch.equal(torch.random.get_rng_state(), state)
    assert actions == loose == {0, 1}
    mean = agent.online.module.eval()(torch.from_numpy(observation)).argmax().item()
    agent.online.module.train()
    assert greedy == {mean}
    evaluate(agent, episodes=2)
    assert agent.online.module.training  # an evaluation leaves the noise on


def test_every_network_of_an_update_draws_its_own_noise():
    agent = DQN("CartPole-v1", CONFIG, seed=0)
    drawn = []
    for network in (agent.online.module, agent.target.module):
        layer = next(m for m in network.modules() if isinstance(m, NoisyLinear))
        layer.register_forward_hook(lambda m, args, y: drawn.append(y))
    agent.learn(59, progress=False)
    assert (len(drawn), agent.updates) == (59, 0)
    agent.learn(1, progress=False)  # one action, then one update: target, selector, online
    assert (len(drawn), agent.updates) == (63, 1)


def test_the_same_seed_gives_the_same_bits():
    first, again, other = (
        DQN("CartPole-v1", CONFIG, seed=seed).learn(200, progress=False).online.weights
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_noise_finds_the_better_lever_and_its_deviations_are_learned():
    config = DQNConfig(
        hidden=(8,), noisy=True, discount=0.5, learning_starts=50, learning_rate=1e-2
    )
    agent = DQN("Lever-v0", config, seed=1)
    start = {
        k: v.clone() for k, v in agent.online.module.state_dict().items() if k.endswith("_std")
    }
    agent.learn(1000, progress=False)
    taken = agent.replay._fields.action[:1000]
    assert 0.02 < (taken[:200] == 0).mean() < 0.98  # both were tried
    assert (taken[-200:] == 1).mean() > 0.9
    observation = np.ones((1, 1), np.float32)
    np.testing.assert_allclose(agent.q_values(observation, noise=False), [[0.5, 1.0]], atol=0.1)
    for name, before in start.items():
        assert not torch.equal(agent.online.module.state_dict()[name], before)


def test_noise_needs_a_positive_deviation():
    with pytest.raises(ValueError, match=r"noise_std is 0.0: expected more than 0"):
        DQNConfig(noise_std=0.0)
