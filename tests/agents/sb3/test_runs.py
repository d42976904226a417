"""Runs of stable-baselines3's algorithms: folders, exact resume, replay."""

import json
from pathlib import Path

import gymnasium as gym
import imageio.v3 as iio
import numpy as np
import pytest
import torch
from command_runs import nursery
from leftovers import rows_of
from sb3_agents import SMALL, make, names, weights
from stable_baselines3.common.callbacks import EvalCallback

import agents
from agents.commands.evaluate import main as evaluate_main
from agents.commands.render import main as render_main
from agents.commands.train import main as train_main
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from nets.runs.checkpoint import CheckpointError


@names
def test_a_resumed_run_ends_in_the_same_bits(name, tmp_path):
    """Networks, optimisers, counters, replay and schedules: nothing is lost."""
    settings = {"anneal_steps": 3_000}
    if name in ("sb3-dqn", "sb3-sac", "sb3-td3"):
        settings |= {"learning_starts": 70, "buffer_size": 90}  # full when resumed
    if name == "sb3-dqn":
        settings |= {"epsilon_start": 1.0, "exploration_steps": 300, "target_every": 50}
    cut = RunConfig(steps=384, segment_steps=128, log_every=32, eval_every=64, eval_episodes=1)
    whole, part, rest = (make(name, **settings) for _ in range(3))
    run, resumed = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "resumed")
    run.create(whole, cut, [])
    resumed.create(part, cut, [])
    Trainer(whole, run, cut, progress=False).run(384)
    Trainer(part, resumed, cut, progress=False).run(128)
    Trainer(rest, resumed, cut, progress=False).run(384)
    assert torch.equal(weights(whole), weights(rest))
    assert not torch.equal(weights(whole), weights(part))
    assert run.metrics_file.read_text() == resumed.metrics_file.read_text()


def test_other_seeds_give_other_weights():
    first, second = make("sb3-a2c", seed=1), make("sb3-a2c", seed=2)
    assert not torch.equal(weights(first), weights(second))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A short run of each algorithm by the command line, evaluated twice."""
    folders = {}
    for name, (home, num_envs, settings) in SMALL.items():
        folders[name] = tmp_path_factory.mktemp(name) / "run"
        words = [name, home, "--num-envs", num_envs, "--steps", 320, "--eval-every", 160]
        if name in ("sb3-dqn", "sb3-sac", "sb3-td3"):
            settings = settings | {"learning_starts": 64}
        for key, value in (settings | {"hidden": "8 8"}).items():
            words += [f"--config.{key.replace('_', '-')}", *str(value).split()]
        assert train_main([*map(str, words), "--run", str(folders[name]), "--device", "cpu"]) == 0
    return folders


@names
def test_a_run_folder_holds_what_every_run_folder_holds(name, runs):
    folder = runs[name]
    present = {path.name for path in folder.iterdir()}
    expected = {"config.json", "checkpoints", "best", "metrics.csv", "curve.png", "episode.gif"}
    assert expected <= present
    assert any(file.startswith("events.out.tfevents") for file in present)
    assert json.loads((folder / "config.json").read_text())["algorithm"] == name
    rows = rows_of(folder)
    first = 192 if name == "sb3-ppo" else 160  # a whole rollout
    assert [int(row["step"]) for row in rows if row["eval_return"]] == [first, 320]
    assert int(rows[-1]["step"]) == 320
    if SMALL[name][0] == "CartPole-v1":  # the pendulum's first episodes are not over yet
        assert any(row["return"] for row in rows)
    assert float(rows[-1]["learning_rate"]) > 0
    assert len(iio.imread(folder / "episode.gif")) > 1
    for file in folder.rglob("*.pt"):
        torch.load(file, weights_only=True)  # tensors and plain values
    assert not list(folder.rglob("*.zip")) + list(folder.rglob("*.pkl"))


@names
def test_a_run_is_evaluated_rendered_and_extended(name, runs, tmp_path, capsys):
    folder = runs[name]
    assert evaluate_main([str(folder), "--episodes", "2"]) == 0
    assert "2 episodes, greedy" in capsys.readouterr().out
    assert render_main([str(folder), "--out", str(tmp_path / "film.gif")]) == 0
    assert len(iio.imread(tmp_path / "film.gif")) > 1
    assert train_main(["--resume", str(folder), "--steps", "384"]) == 0
    last = agents.load(folder, checkpoint="last", device="cpu")
    assert (last.name, last.steps) == (name, 400 if name == "sb3-a2c" else 384)
    assert last.learn(16, progress=False).steps >= 400


def test_a_fresh_process_acts_alike(runs):
    rng = np.random.default_rng(0)
    expected = []
    for folder in runs.values():
        agent = agents.load(folder, device="cpu")
        x = rng.normal(size=(3, *agent.observation_space.shape)).astype(np.float32)
        expected += [agent.predict(x, deterministic=True)[0]]
    code = (
        "import sys, json, numpy as np, agents\n"
        "rng = np.random.default_rng(0)\n"
        "for folder in sys.argv[1:]:\n"
        "    agent = agents.load(folder, device='cpu')\n"
        "    x = rng.normal(size=(3, *agent.observation_space.shape)).astype(np.float32)\n"
        "    print(json.dumps(agent.predict(x, deterministic=True)[0].tolist()))\n"
    )
    done = nursery().run(code, Path(), argv=["-c", *map(str, runs.values())])
    for line, actions in zip(done.stdout.splitlines(), expected, strict=True):
        np.testing.assert_allclose(json.loads(line), actions, rtol=1e-5)


def test_ctrl_c_leaves_a_checkpoint_to_look_at(tmp_path):
    agent = make("sb3-dqn")
    cut = RunConfig(steps=400, segment_steps=100, log_every=50, eval_every=0)

    class Impatient(EvalCallback):
        def __init__(self):
            super().__init__(gym.make("CartPole-v1"))

        def _on_step(self):
            if self.num_timesteps == 130:
                raise KeyboardInterrupt
            return True

    trainer = Trainer(agent, RunFolder(tmp_path), cut, progress=False)
    trainer.run_folder.create(agent, cut, [])
    agent.listener.follow(Impatient())
    with pytest.raises(KeyboardInterrupt):
        trainer.run(400)
    assert agents.load(tmp_path, checkpoint="interrupted", device="cpu").steps == 130
    assert agents.load(tmp_path, checkpoint="last", device="cpu").steps == 100


def test_replay_comes_back_from_its_shards_alone():
    agent, other = (make("sb3-dqn", "Ledger-v0", 2, buffer_size=60) for _ in range(2))
    shards = []
    for _ in range(5):
        agent.learn(20, progress=False)
        shards.append(agent.replay.shard())
    for shard in shards[2:]:  # the oldest hold no row that is left
        other.replay.load_shard(shard)
    assert other.replay.rows == agent.replay.rows == 50
    assert other.replay.capacity == 30
    theirs, ours = other.replay, agent.replay
    assert (theirs.pos, theirs.full) == (ours.pos, ours.full) == (20, True)
    for name in theirs.COLUMNS:
        np.testing.assert_array_equal(getattr(theirs, name), getattr(ours, name), name)
        assert getattr(ours, name).any()


def test_bursts_of_updates_come_in_whole_rounds():
    agent = make("sb3-dqn", num_envs=3, train_every=4, gradient_steps=2)
    assert agent.rollout_steps == 6
    agent.learn(18, progress=False)
    assert (agent.steps, agent.model._n_updates) == (18, 6)


def test_replay_of_another_agent_is_refused():
    shard = make("sb3-dqn").learn(8, progress=False).replay.shard()
    assert shard["rewards"].shape == (4, 2)  # rows of both copies
    with pytest.raises(CheckpointError, match="does not fit this agent"):
        make("sb3-dqn", num_envs=3).replay.load_shard(shard)
    other = make("sb3-dqn")
    other.replay.load_shard(shard)
    with pytest.raises(CheckpointError, match="begins at row 0, expected 4"):
        other.replay.load_shard(shard)
