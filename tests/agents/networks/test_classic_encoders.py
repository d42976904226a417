"""The classic networks as encoders of agents, on pictures of their own smallest sizes."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.policy_gradient.ppo import PPO, PPOConfig


class Pictures(gym.Env):
    """Ten random pictures an episode; action 1 is rewarded."""

    action_space = gym.spaces.Discrete(3)

    def __init__(self, side=32):
        self.observation_space = gym.spaces.Box(0, 255, (side, side, 3), np.uint8)

    def _look(self):
        return self.np_random.integers(0, 256, self.observation_space.shape, np.uint8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 10
        return self._look(), {}

    def step(self, action):
        self.left -= 1
        return self._look(), float(action == 1), self.left == 0, False, {}


for side in (16, 31, 32, 40):
    name = f"Pictures{side}-v0"
    gym.register(name, entry_point=Pictures, kwargs={"side": side}, disable_env_checker=True)

LEARNERS = {
    "dqn": lambda encoder: DQN(
        "Pictures32-v0", DQNConfig(encoder=encoder, learning_starts=8, train_every=8, batch_size=4)
    ),
    "ppo": lambda encoder: PPO(
        "Pictures32-v0", PPOConfig(encoder=encoder, n_steps=8, batch_size=8, epochs=1), num_envs=1
    ),
}


@pytest.mark.parametrize(
    ("learner", "encoder"),
    [("dqn", "resnet-18"), ("dqn", "densenet-121"), ("ppo", "resnet-18"), ("ppo", "googlenet")],
)
def test_N_ARC_09_an_agent_learns_with_a_classic_encoder(learner, encoder):
    agent = LEARNERS[learner](encoder)
    network = agent.online.module if learner == "dqn" else agent.network.module
    before = {name: weight.clone() for name, weight in network.named_parameters()}
    agent.learn(8, progress=False)
    moved = [not torch.equal(before[name], weight) for name, weight in network.named_parameters()]
    assert sum(moved) > 0.95 * len(moved)
    assert all(weight.isfinite().all() for weight in network.parameters())
    pictures = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    if learner == "dqn":  # a picture is worth the same alone as among others
        alone = np.concatenate([agent.q_values(picture[None]) for picture in pictures])
        np.testing.assert_allclose(agent.q_values(pictures), alone, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("encoder", "side", "least"),
    [("vgg-11", 31, 32), ("densenet-121", 16, 29), ("alexnet", 40, 63)],
)
def test_too_small_pictures_are_refused(encoder, side, least):
    with pytest.raises(ValueError, match=f"{side}x{side} .* {encoder}: it needs at least {least}x"):
        DQN(f"Pictures{side}-v0", DQNConfig(encoder=encoder))
