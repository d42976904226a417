"""Agents on worlds whose steps are compiled."""

import gymnasium as gym
import pytest
import torch

import envs  # noqa: F401  registers the worlds
from agents.policy_gradient.config import PPOConfig
from agents.policy_gradient.ppo import PPO

pytest.importorskip("numba")


def test_training_on_a_compiled_world_is_the_same_to_the_last_bit():
    weights = []
    for kernel in ("numpy", "fused"):
        world = gym.make("dreamgym/CartPole-v0", kernel=kernel, max_episode_steps=15)
        config = PPOConfig(n_steps=32, epochs=2)
        agent = PPO(world, config, seed=3, device="cpu", num_envs=4)
        agent.learn(512, progress=False)
        assert agent.source.spec.kwargs["kernel"] == kernel
        weights.append(agent.network.weights.detach().clone())
    assert torch.equal(*weights)
    assert not torch.equal(weights[0], torch.zeros_like(weights[0]))
