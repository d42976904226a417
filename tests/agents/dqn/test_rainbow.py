"""Rainbow: a preset of DQN."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from learning import best_agent, best_of

import envs  # noqa: F401
from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.dqn.prioritized import Prioritized
from agents.dqn.returns import CategoricalReturn
from agents.loading import load
from agents.loop.evaluation import evaluate
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.presets import find_preset
from nets.layers.heads import DuelingHead
from nets.layers.noisy import NoisyLinear


def rainbow(env_id, seed=0, **settings):
    preset = find_preset("dqn", env_id, "rainbow")
    return preset, DQN(env_id, preset.apply(DQNConfig()), seed=seed, **settings)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "dreamgym/Catch-v0", "dreamgym/Cliff-v0"])
def test_rainbow_is_made_of_its_six_parts(env_id):
    """Hessel et al. (2018): double, prioritised, dueling, multi-step, distributional, noisy."""
    _, agent = rainbow(env_id)
    kinds = {type(module) for module in agent.online.module.modules()}
    assert {NoisyLinear, DuelingHead} <= kinds
    assert torch.nn.Linear not in kinds
    assert isinstance(agent.replay.sampler, Prioritized)
    assert isinstance(agent.returns, CategoricalReturn)
    assert agent.config.double
    assert agent.recorder.n == 3
    assert agent.epsilon == 0.0


@pytest.mark.parametrize("env_id", ["CartPole-v1", "dreamgym/Catch-v0"])
def test_rainbow_trains_and_comes_back_from_its_folder(tmp_path, env_id):
    _, agent = rainbow(env_id, num_envs=2)
    before = agent.online.weights.detach().clone()
    cut = RunConfig(steps=700, segment_steps=350, log_every=100, eval_every=350, eval_episodes=2)
    progress = Trainer(agent, RunFolder(tmp_path), cut, progress=False).run(700)
    assert agent.updates > 50
    assert progress.metrics["kl_divergence"] > 0
    assert progress.metrics["epsilon"] == 0.0
    assert not torch.equal(agent.online.weights.detach(), before)
    loaded = load(tmp_path, checkpoint="last")
    seen = np.stack([gym.make(env_id).reset(seed=seed)[0] for seed in range(5)])
    np.testing.assert_allclose(
        loaded.q_values(seen, noise=False), agent.q_values(seen, noise=False), atol=1e-6
    )


@pytest.mark.slow
def test_rainbow_solves_cartpole(tmp_path):
    def train(seed):
        preset, agent = rainbow("CartPole-v1", seed)
        best = best_agent(agent, tmp_path / str(seed), preset.steps, highest=500.0)
        return evaluate(best, episodes=100, seed=123).mean_return

    assert best_of(train, 475) >= 475
