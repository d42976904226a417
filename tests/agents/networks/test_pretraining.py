"""Agents that begin with a trained encoder: where it comes from, whether it stays, how to go on."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents import DQN, PPO, A2CConfig, DQNConfig, PPOConfig, load
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.policy_gradient.a2c import A2C
from nets.runs.checkpoint import CheckpointError, load_checkpoint, save_checkpoint


class Lights(gym.Env):
    """One of the pixels is lit; the action is rewarded that names its row."""

    action_space = gym.spaces.Discrete(3)

    def __init__(self, side=6):
        self.observation_space = gym.spaces.Box(0, 255, (side, side, 1), np.uint8)

    def _look(self):
        picture = np.zeros(self.observation_space.shape, np.uint8)
        self.place = self.np_random.integers(len(picture), size=2)
        picture[tuple(self.place)] = 255
        return picture, {}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 5
        return self._look()

    def step(self, action):
        reward, self.left = float(action == self.place[0] % 3), self.left - 1
        observation, info = self._look()
        return observation, reward, self.left == 0, False, info


gym.register("Lights-v0", entry_point=Lights, disable_env_checker=True)
gym.register("MoreLights-v0", entry_point=Lights, kwargs={"side": 7}, disable_env_checker=True)
WORLD = "Lights-v0"
CONFIGS = {
    DQN: DQNConfig(encoder="small-cnn", learning_starts=16, train_every=16, batch_size=8),
    PPO: PPOConfig(encoder="small-cnn", n_steps=16, batch_size=16, epochs=1),
    A2C: A2CConfig(encoder="small-cnn", n_steps=16),
}


def weights(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def body(agent):
    return agent.online.module.body if isinstance(agent, DQN) else agent.network.module.body


@pytest.fixture(scope="module", params=[DQN, PPO], ids=["dqn", "ppo"])
def source(request, tmp_path_factory):
    """An agent's file, and the weights of its encoder."""
    path = tmp_path_factory.mktemp("source") / "agent.pt"
    agent = request.param(WORLD, CONFIGS[request.param], seed=7, num_envs=1)
    agent.learn(32, progress=False).save(path)
    return path, weights(body(agent))


@pytest.mark.parametrize("kind", CONFIGS)
def test_S_TL_01_an_agent_begins_with_another_s_encoder_and_its_own_head(kind, source):
    path, expected = source
    config = replace(CONFIGS[kind], pretrained=str(path))
    agent, plain = kind(WORLD, config, num_envs=1), kind(WORLD, CONFIGS[kind], num_envs=1)
    assert not same(weights(body(agent)), expected)
    agent.begin()
    assert same(weights(body(agent)), expected)
    if kind is DQN:
        assert same(weights(agent.target.module), weights(agent.online.module))
        assert torch.equal(agent.online.module[1].weight, plain.online.module[1].weight)
        encoder = agent.online.weights[: sum(t.numel() for t in expected.values())]
        assert torch.equal(encoder, torch.cat([t.flatten() for t in expected.values()]))
    agent.learn(48, progress=False)
    assert not same(weights(body(agent)), expected)


@pytest.mark.parametrize("kind", CONFIGS)
def test_S_TL_01_a_frozen_encoder_stays_while_the_head_learns(kind, source):
    path, expected = source
    config = replace(CONFIGS[kind], pretrained=str(path), freeze_encoder=True)
    agent = kind(WORLD, config, num_envs=1)
    agent.begin()
    network = agent.online.module if kind is DQN else agent.network.module
    before = weights(network)
    agent.learn(48, progress=False)
    after = weights(network)
    assert same(weights(body(agent)), expected)
    heads = [name for name in after if name not in body_names(network)]
    assert heads
    assert not any(torch.equal(before[name], after[name]) for name in heads if "weight" in name)
    if kind is DQN:
        assert same(weights(agent.target.module.body), expected)


def body_names(network):
    ids = {id(p) for p in network.body.parameters()}
    return {name for name, p in network.named_parameters() if id(p) in ids}


@pytest.mark.parametrize("freeze", [False, True])
def test_S_IO_02_a_run_goes_on_exactly_without_its_source(source, tmp_path, freeze):
    path, _ = source
    copy = tmp_path / "source.pt"
    copy.write_bytes(path.read_bytes())
    config = replace(CONFIGS[DQN], pretrained=str(copy), freeze_encoder=freeze)
    lengths = RunConfig(96, segment_steps=32, log_every=32, eval_every=0)

    def run(name, steps):
        folder, agent = RunFolder(tmp_path / name), DQN(WORLD, config, num_envs=1)
        if not folder.config_file.exists():
            folder.create(agent, lengths, [])
        Trainer(agent, folder, lengths, progress=False).run(steps)
        return weights(agent.online.module)

    whole = run("whole", 96)
    run("parts", 32)
    copy.unlink()
    assert same(run("parts", 96), whole)
    loaded = load(tmp_path / "parts")  # nor does it take the source to act
    assert same(weights(loaded.online.module), whole)


def test_a_source_that_has_changed_is_refused_with_both_fingerprints(source, tmp_path):
    path, _ = source
    copy = tmp_path / "source.pt"
    copy.write_bytes(path.read_bytes())
    config, lengths = replace(CONFIGS[DQN], pretrained=str(copy)), RunConfig(64, 32, 32, 0)
    folder = RunFolder(tmp_path / "run")
    folder.create(DQN(WORLD, config, num_envs=1), lengths, [])
    Trainer(DQN(WORLD, config, num_envs=1), folder, lengths, progress=False).run(32)
    then = folder.load_config()["sources"]["pretrained"]["sha256"]
    DQN(WORLD, CONFIGS[DQN], seed=9).save(copy)
    words = rf"source\.pt \(pretrained\) is not what .*: its SHA-256 is [0-9a-f]+, and was {then}"
    with pytest.raises(CheckpointError, match=words):
        Trainer(DQN(WORLD, config, num_envs=1), folder, lengths, progress=False).run(64)


def test_averaged_weights_are_those_that_count(source, tmp_path):
    _, expected = source
    state = {f"encoder.0.{name.partition('.')[2]}": tensor for name, tensor in expected.items()}
    zeros = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    save_checkpoint(tmp_path / "vae.pt", {"weights": zeros, "average": state})
    config = replace(CONFIGS[DQN], pretrained=str(tmp_path / "vae.pt"))
    agent = DQN(WORLD, config)
    agent.begin()
    assert same(weights(body(agent)), expected)
    save_checkpoint(tmp_path / "vae.pt", {"weights": zeros, "average": None})
    agent.begin()
    assert not any(tensor.any() for tensor in weights(body(agent)).values())


def test_what_does_not_fit_is_refused(source, tmp_path):
    path, _ = source
    impala = DQN(WORLD, DQNConfig(encoder="impala", pretrained=str(path)))
    with pytest.raises(
        CheckpointError, match=r"agent\.pt has no encoder for this agent.*ImpalaCNN"
    ):
        impala.begin()
    with pytest.raises(CheckpointError, match=r"weight is \(128, 256\), expected \(128, 400\)"):
        DQN("MoreLights-v0", replace(CONFIGS[DQN], pretrained=str(path))).begin()
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        DQN(WORLD, DQNConfig(pretrained=str(tmp_path / "nothing.pt"))).learn(1, progress=False)
    with pytest.raises(FileNotFoundError, match="has no checkpoint"):
        DQN(WORLD, DQNConfig(pretrained=str(tmp_path))).begin()
    with pytest.raises(CheckpointError, match="MLP has no weights"):
        PPO("CartPole-v1", PPOConfig(pretrained=str(path))).begin()
    assert "pretrained" in load_checkpoint(path)["config"]
