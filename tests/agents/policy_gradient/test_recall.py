"""A corridor that only a memory gets through (curriculum A-PG-05)."""

from dataclasses import replace

import pytest
from learning import best_of

from agents.loop.evaluation import evaluate
from agents.policy_gradient.ppo import PPO, PPOConfig
from agents.presets import find_preset


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoder", "low", "high"), [("lstm", 0.98, 1.0), ("gru", 0.98, 1.0), ("mlp", 0.45, 0.55)]
)
def test_A_PG_05_recall_is_solved_with_a_memory_only(encoder, low, high):
    preset = find_preset("ppo", "dreamgym/Recall-v0")
    config = replace(preset.apply(PPOConfig()), encoder=encoder)

    def train(seed):
        agent = PPO("dreamgym/Recall-v0", config, seed=seed, num_envs=preset.num_envs)
        agent.learn(preset.steps, progress=False)
        return evaluate(agent, episodes=2000, num_envs=100).mean_return

    assert low <= best_of(train, low) <= high


@pytest.mark.parametrize(("encoder", "low", "high"), [("gru", 0.98, 1.0), ("mlp", 0.4, 0.6)])
def test_A_PG_05_a_short_corridor_is_soon_remembered(encoder, low, high):
    import gymnasium as gym

    import envs  # noqa: F401

    preset = find_preset("ppo", "dreamgym/Recall-v0")
    config = replace(preset.apply(PPOConfig()), encoder=encoder, n_steps=12, batch_size=96)

    def train(seed):
        world = gym.make("dreamgym/Recall-v0", length=3)
        agent = PPO(world, config, seed=seed, num_envs=32).learn(16_000, progress=False)
        return evaluate(agent, episodes=500, num_envs=100).mean_return

    assert low <= best_of(train, low) <= high
