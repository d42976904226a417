"""A GPU would wait for stray CPU tensors and fetched numbers; the meta device refuses them."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents.dqn import returns as return_models
from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.equations.losses import huber, square
from agents.loading import load
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from nets.layers.noisy import NoisyLinear

CASES = {
    "mlp": ("CartPole-v1", DQNConfig(hidden=(8,))),
    "autograd": ("CartPole-v1", DQNConfig(hidden=(8,), activation="gelu", loss="mse")),
    "dueling": ("CartPole-v1", DQNConfig(hidden=(8,), dueling=True, double=False)),
    "one-hot": ("dreamgym/Cliff-v0", DQNConfig(hidden=(8,))),
    "small-cnn": ("dreamgym/Catch-v0", DQNConfig(encoder="small-cnn")),
    "nature": ("dreamgym/Catch-v0", DQNConfig(encoder="nature", dueling=True)),
    "impala": ("dreamgym/Catch-v0", DQNConfig(encoder="impala")),
    "categorical": ("CartPole-v1", DQNConfig(hidden=(8,), head="categorical", atoms=7)),
    "quantile": ("CartPole-v1", DQNConfig(hidden=(8,), head="quantile", atoms=7, dueling=True)),
    "prioritized": ("CartPole-v1", DQNConfig(hidden=(8,), replay="prioritized", n_step=3)),
    "lstm": ("CartPole-v1", DQNConfig(hidden=(8,), encoder="lstm", sequence_length=5, burn_in=2)),
    "small-cnn+gru": (
        "dreamgym/Catch-v0",
        DQNConfig(encoder="small-cnn+gru", sequence_length=4, head="categorical", noisy=True),
    ),
    "noisy": ("dreamgym/Catch-v0", DQNConfig(noisy=True, head="categorical", dueling=True)),
}
cases = pytest.mark.parametrize(("env", "config"), CASES.values(), ids=CASES.keys())


def batch_for(agent, batches=2, size=4, seed=0):
    """Minibatches from the replay of random play, on the CPU."""
    config = replace(agent.config, learning_starts=10**9, epsilon_end=1.0)
    player = DQN(agent.source, config, seed=seed, device="cpu").learn(40, progress=False)
    batch, _ = player.replay.sample(np.random.default_rng(seed), batches, size)
    return batch


@cases
def test_A_FA_02_an_update_stays_on_its_device(env, config):
    agent = DQN(env, config, device="meta")
    assert all(p.device.type == "meta" for p in agent.online.module.parameters())
    batch = batch_for(agent).to(agent.device)
    metrics, errors = agent.update(batch)
    assert agent.updates == 2
    assert errors.device.type == metrics["value"].device.type == "meta"
    assert agent.online.weights.grad.device.type == "meta"
    assert batch.priorities(errors).shape == (2, 4)
    agent.target.weights.data.lerp_(agent.online.weights.detach(), 0.5)


@cases
def test_a_stray_tensor_is_caught(env, config):
    """Negative control: the target network, or the batch, left on the CPU."""
    agent = DQN(env, config, device="meta")
    batch = batch_for(agent)
    with pytest.raises((RuntimeError, NotImplementedError)):
        agent.update(batch)
    agent.target = DQN(env, config, device="cpu").target
    with pytest.raises((RuntimeError, NotImplementedError)):
        agent.update(batch.to(agent.device))


def test_a_fetched_number_is_caught(monkeypatch):
    """Negative control: a loss that looks at its error waits for the device."""
    monkeypatch.setitem(
        return_models.LOSSES, "huber", lambda e: huber(e) if e.abs().max().item() > 1 else square(e)
    )
    agent = DQN("CartPole-v1", DQNConfig(hidden=(8,)), device="meta")
    with pytest.raises(RuntimeError, match="meta"):
        agent.update(batch_for(agent).to(agent.device))


# With a GPU -------------------------------------------------------------------------------------


@pytest.mark.cuda
@cases
def test_losses_on_cuda_are_those_on_the_cpu(env, config):
    here, there = DQN(env, config, device="cpu"), DQN(env, config, device="cuda")
    for agent in (here, there):  # the two devices draw different noise
        for module in [*agent.online.module.modules(), *agent.target.module.modules()]:
            if isinstance(module, NoisyLinear):
                module.eval()
    for seed in range(3):
        batch = batch_for(here, seed=seed)
        ours, error = here.update(batch)
        theirs, cuda_error = there.update(batch.to(there.device))
        assert theirs["value"].is_cuda
        torch.testing.assert_close(theirs["value"].cpu(), ours["value"], rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(cuda_error.cpu(), error, rtol=1e-3, atol=1e-4)
    weights = there.online.weights.detach().cpu()
    torch.testing.assert_close(weights, here.online.weights.detach(), rtol=0, atol=2e-3)


@pytest.mark.cuda
@pytest.mark.parametrize(
    ("env", "settings"),
    [
        ("CartPole-v1", {}),
        ("dreamgym/Catch-v0", {}),
        ("CartPole-v1", {"noisy": True, "head": "categorical", "replay": "prioritized"}),
    ],
)
def test_training_on_cuda_leaves_files_for_the_cpu(tmp_path, env, settings):
    config = DQNConfig(hidden=(16,), learning_starts=40, batch_size=8, **settings)
    agent = DQN(env, config, device="cuda")
    cut = RunConfig(steps=200, segment_steps=100, log_every=50, eval_every=100, eval_episodes=2)
    Trainer(agent, RunFolder(tmp_path), cut, progress=False).run(200)
    assert agent.online.weights.is_cuda
    assert agent.updates > 30
    loaded = load(tmp_path, checkpoint="last", device="cpu")
    assert loaded.online.weights.device.type == "cpu"
    torch.testing.assert_close(loaded.online.weights.cpu(), agent.online.weights.cpu())
    observation = gym.make(loaded.source.spec).reset(seed=0)[0]
    values = loaded.q_values(observation[None], noise=False)
    expected = agent.q_values(observation[None], noise=False)
    np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-4)
    loaded.learn(50, progress=False)
    resumed = DQN(env, config, device="cuda")  # and goes on from them on the GPU
    Trainer(resumed, RunFolder(tmp_path), cut, progress=False).run(300)
    assert (resumed.steps, resumed.replay.rows) == (300, 300)
