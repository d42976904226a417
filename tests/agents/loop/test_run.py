import json
import os
import shutil
from dataclasses import asdict, replace

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.policy_gradient.ppo import PPO, PPOConfig
from agents.presets import find_preset
from agents.tabular.temporal_difference import QLearning
from nets.runs.checkpoint import CheckpointError, Damaged, load_checkpoint, save_checkpoint
from nets.runs.checkpoints import KEPT_CHECKPOINTS
from nets.runs.ownership import Occupied


def make(capacity=1000, hidden=(8,), **settings):
    config = DQNConfig(hidden=hidden, buffer_size=capacity, learning_starts=20, batch_size=8)
    return DQN("CartPole-v1", config, **settings)


def train(folder, steps, capacity=1000, segment_steps=40):
    agent = make(capacity)
    cut = RunConfig(steps, segment_steps=segment_steps, log_every=25, eval_every=0)
    Trainer(agent, RunFolder(folder), cut, progress=False).run(steps)
    return agent


def same_memory(left, right):
    assert left.replay.rows == right.replay.rows
    used = slice(0, len(left.replay))
    for a, b in zip(left.replay._fields, right.replay._fields, strict=True):
        np.testing.assert_array_equal(a[used], b[used])


# The record -------------------------------------------------------------------------------------


def test_a_run_records_all_it_takes_to_repeat_it(tmp_path):
    agent = DQN(gym.make("CartPole-v1", sutton_barto_reward=True), seed=4, num_envs=2)
    config = RunConfig.default(agent, 50_000)
    run = RunFolder(tmp_path / "deep" / "run")
    run.create(agent, config, ["train.py", "dqn"])
    record = json.loads(run.config_file.read_text())
    assert record == run.load_config()
    assert (record["algorithm"], record["seed"], record["device"]) == ("dqn", 4, "cpu")
    assert record["env"]["id"] == "CartPole-v1"
    assert record["env"]["kwargs"] == {"sutton_barto_reward": True}
    assert record["env"]["num_envs"] == 2
    assert record["command"] == ["train.py", "dqn"]
    assert record["versions"]["torch"] == torch.__version__
    assert record["versions"]["gymnasium"] == gym.__version__
    assert {"python", "numpy", "dreamgym"} <= record["versions"].keys()
    assert record["git_commit"] is None or len(record["git_commit"]) == 40
    assert run.run_config() == config
    fresh = DQN.from_manifest(record | {"steps": 0, "segment": 0})
    assert fresh.config == agent.config
    assert (fresh.seed, fresh.num_envs) == (4, 2)
    assert torch.equal(fresh.online.weights, agent.online.weights)


def test_segments_are_as_long_as_asked_for_in_whole_rollouts_and_no_shorter_than_an_episode():
    agent = PPO("CartPole-v1", PPOConfig(n_steps=256), num_envs=3)
    config = RunConfig.default(agent, 10**6)
    assert config.in_segments(agent, 2000).segment_steps == 3 * 768
    assert replace(config, segment_steps=1) == replace(
        config.in_segments(agent, 2000), segment_steps=1
    )
    with pytest.raises(ValueError, match="segment_steps is 1499: expected at least 1,500, for an"):
        config.in_segments(agent, 1499)


def test_a_folder_holds_one_run(tmp_path):
    agent, run = make(), RunFolder(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"is not a run folder: it has no config\.json"):
        run.load_config()
    run.create(agent, RunConfig.default(agent, 100), [])
    with pytest.raises(FileExistsError, match="already holds a run: resume it, or choose another"):
        run.create(agent, RunConfig.default(agent, 100), [])


def test_a_folder_has_one_owner(tmp_path):
    agent, run, other = make(), RunFolder(tmp_path), RunFolder(tmp_path)
    cut = RunConfig(80, 40, 25, 0)
    with run.owned():
        run.create(agent, cut, [])  # the owner may
        with pytest.raises(Occupied, match=r"has an owner: process \d+ on .*; wait until it ends"):
            Trainer(make(), other, cut, progress=False).run(80)
        with pytest.raises(Occupied):
            other.create(agent, cut, [])
        Trainer(agent, run, cut, progress=False).run(80)
    Trainer(make(), other, cut, progress=False).run(80)


def test_a_damaged_record_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"run":')
    with pytest.raises(CheckpointError, match=r"config\.json is not valid JSON"):
        RunFolder(tmp_path).load_config()


def test_a_run_is_extended_and_never_shortened(tmp_path):
    agent, run = make(), RunFolder(tmp_path)
    run.create(agent, RunConfig(100, 40, 10, 0), [])
    assert run.extend(300) == run.run_config() == RunConfig(300, 40, 10, 0)
    with pytest.raises(ValueError, match=r"steps is 200: .* was started with 300, expected"):
        run.extend(200)
    assert run.run_config().steps == 300


@pytest.mark.parametrize("num_envs", [None, 4])
def test_segments_are_at_least_ten_time_limits(num_envs):
    agent = make(num_envs=num_envs)
    short, long = RunConfig.default(agent, 1000), RunConfig.default(agent, 10**6)
    assert short.segment_steps == 10 * 500 * agent.num_envs
    assert long.segment_steps == 50_000
    assert (long.log_every, long.eval_every, long.threads) == (5000, 50_000, 1)
    assert short.log_every >= agent.num_envs
    assert RunConfig.default(agent, 1000, eval_every=0).eval_every == 0


def test_long_runs_risk_minutes_and_short_ones_are_cut_as_ever():
    agent = make()
    assert RunConfig.default(agent, 2_000_000).segment_steps == 100_000
    assert RunConfig.default(agent, 100_000_000).segment_steps == 100_000
    many = make(num_envs=64)  # ten time limits each
    assert RunConfig.default(many, 100_000_000).segment_steps == 10 * 500 * 64
    table = QLearning("FrozenLake-v1")
    assert RunConfig.default(table, 40_000_000).segment_steps == 2_000_000
    assert RunConfig.default(table, 10**9).segment_steps == 5_000_000


# Checkpoints ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capacity", "segment_steps"), [(1000, 40), (100, 40), (25, 40), (120, 40), (50, 7)]
)
def test_S_IO_02_a_run_is_restored_from_any_of_its_states(tmp_path, capacity, segment_steps):
    """Also when the kill came before older files were removed, or left unfinished ones."""
    agent, run = make(capacity), RunFolder(tmp_path / "run")
    older = tmp_path / "older"
    for steps in range(50, 351, 60):
        cut = RunConfig(steps, segment_steps, log_every=25, eval_every=0)
        Trainer(agent, run, cut, progress=False).run(steps)
        again = make(capacity)
        run.restore(again)
        same_memory(again, agent)
        assert torch.equal(again.online.weights, agent.online.weights)
        if older.exists():  # as if nothing had ever been removed
            shutil.copytree(older / "checkpoints", run.files.folder, dirs_exist_ok=True)
        (run.files.folder / f".0000000090.pt.{os.getpid()}.tmp").write_bytes(b"half")
        (run.replay / f".000000000090.pt.{os.getpid()}.tmp").write_bytes(b"half")
        (tmp_path / "run" / "best").mkdir(exist_ok=True)
        (tmp_path / "run" / "best" / f".checkpoint.pt.{os.getpid()}.tmp").write_bytes(b"half")
        again = make(capacity)
        run.restore(again)
        same_memory(again, agent)
        assert not list(run.path.rglob(".*.tmp"))
        shutil.copytree(run.path, older, dirs_exist_ok=True)
    assert (agent.steps, agent.replay.rows) == (350, 350)


def test_a_shard_without_its_checkpoint_is_written_again(tmp_path):
    """The kill came after the replay rows and before the checkpoint that counts on them."""
    whole = train(tmp_path / "whole", 160)
    train(tmp_path / "run", 120)
    run = RunFolder(tmp_path / "run")
    shard = tmp_path / "whole" / "checkpoints" / "replay" / "000000000120.pt"
    shutil.copy(shard, run.replay)
    again = make()
    run.restore(again)
    assert again.replay.rows == 120
    Trainer(again, run, RunConfig(160, 40, 25, 0), progress=False).run(160)
    same_memory(again, whole)
    assert (run.replay / shard.name).read_bytes() == shard.read_bytes()


@pytest.mark.parametrize(
    ("capacity", "shards"),
    [
        (90, [200, 240, 280, 320, 360]),
        (120, [200, 240, 280, 320, 360]),
        (121, [160, 200, 240, 280, 320, 360]),
        (30, [290, 330, 370]),
    ],
)
def test_only_what_is_needed_is_kept(tmp_path, capacity, shards):
    train(tmp_path, 400, capacity)
    run = RunFolder(tmp_path)
    assert [file.stem for file in run.files.list()] == [f"{s:010d}" for s in (320, 360, 400)]
    assert len(run.files.list()) == KEPT_CHECKPOINTS
    assert [int(f.stem) for f in sorted(run.replay.glob("*.pt"))] == shards


@pytest.mark.parametrize(("lost", "step"), [(0, 0), (40, 40), (80, 80)])
def test_missing_replay_files_are_noticed(tmp_path, lost, step):
    train(tmp_path, 120)
    run, agent = RunFolder(tmp_path), make()
    (run.replay / f"{lost:012d}.pt").unlink()
    message = r"lacks files: .* needs rows 0 to 120|begins at row \d+, expected \d+"
    if not step:
        with pytest.raises(Damaged, match=message):
            run.restore(agent)
        return
    with pytest.warns(UserWarning, match=rf"({message}); going on from .*/{step:010d}\.pt"):
        run.restore(agent)
    same_memory(agent, train(tmp_path / "short", step))


def test_a_missing_oldest_file_is_noticed_although_the_last_row_fits(tmp_path):
    train(tmp_path, 120, capacity=100)
    (tmp_path / "checkpoints" / "replay" / "000000000000.pt").unlink()
    with pytest.raises(CheckpointError, match=r"lacks files: .* needs rows 20 to 120"):
        RunFolder(tmp_path).restore(make(100))


def tear(file):
    file.write_bytes(file.read_bytes()[:-100])


@pytest.mark.parametrize("which", ["0000000120.pt", "replay/000000000080.pt"])
@pytest.mark.parametrize("capacity", [1000, 25])
def test_S_IO_02_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, which, capacity):
    """Exactly: what follows is what would have followed."""
    whole = train(tmp_path / "whole", 200, capacity)
    train(tmp_path / "run", 120, capacity)
    run = RunFolder(tmp_path / "run")
    shard = run.files.shards()[-1]
    damaged = shard if which.startswith("replay") else run.files.folder / which
    tear(damaged)
    words = rf"{damaged.name} is torn .*; going on from .*/0000000080\.pt"
    with pytest.warns(UserWarning, match=words):
        again = train(tmp_path / "run", 200, capacity)
    same_memory(again, whole)
    assert torch.equal(again.online.weights, whole.online.weights)
    assert run.metrics_file.read_bytes() == (tmp_path / "whole" / "metrics.csv").read_bytes()


def test_where_no_checkpoint_is_whole_the_last_is_named(tmp_path):
    train(tmp_path, 120)
    for file in RunFolder(tmp_path).files.list():
        tear(file)
    with pytest.raises(Damaged, match=r"0000000120\.pt is torn"):
        RunFolder(tmp_path).restore(make())


def test_a_checkpoint_of_another_run_is_named_with_both_values(tmp_path):
    train(tmp_path, 120)
    for other, words in (
        (make(hidden=(9,)), r"config\.hidden is \[9\], in 0000000120\.pt \[8\]"),
        (make(seed=4), r"seed is 4, in 0000000120\.pt 0"),
        (make(num_envs=2), r"env\.num_envs is 2, in 0000000120\.pt 1"),
    ):
        with pytest.raises(CheckpointError, match=rf"is of another run than .* is now: {words}"):
            RunFolder(tmp_path).restore(other)


def test_a_checkpoint_that_does_not_fit_is_named(tmp_path):
    train(tmp_path, 120)
    save_checkpoint(tmp_path / "checkpoints" / "0000000130.pt", {"steps": 130})
    with pytest.raises(CheckpointError, match=r"0000000130\.pt does not fit: it has no 'agent'"):
        RunFolder(tmp_path).restore(make())


def test_a_shard_of_another_world_is_named(tmp_path):
    train(tmp_path, 120)
    file = tmp_path / "checkpoints" / "replay" / "000000000080.pt"
    shard = load_checkpoint(file)
    save_checkpoint(file, shard | {"observation": shard["observation"][:, :2]})
    with pytest.raises(CheckpointError, match=r"000000000080\.pt does not fit: .* this agent"):
        RunFolder(tmp_path).restore(make())


def test_an_empty_folder_restores_nothing(tmp_path):
    agent = make()
    assert RunFolder(tmp_path / "new").restore(agent) == {}
    assert agent.steps == 0


def test_checkpoints_are_found_by_name(tmp_path):
    run = RunFolder(tmp_path)
    with pytest.raises(FileNotFoundError, match="has no checkpoint; it has: none"):
        run.files.find()
    run.files.folder.mkdir()
    run.files.interrupted.write_bytes(b"")  # before there was another
    assert run.files.find() == run.files.find("last") == run.files.interrupted
    agent = train(tmp_path, 120)
    assert run.files.find().name == run.files.find("last").name == "0000000120.pt"
    assert run.files.find("0000000080").name == "0000000080.pt"
    assert run.files.find("0000000080.pt").name == "0000000080.pt"
    agent.save(run.files.best)
    assert run.files.find() == run.files.find("best") == run.files.best
    assert run.files.find("last").name == "0000000120.pt"
    run.files.interrupted.write_bytes(b"")
    assert run.files.find("interrupted").name == "interrupted.pt"
    assert run.files.find("last").name == "0000000120.pt"
    message = "no checkpoint '7'; it has: best, 0000000040, 0000000080, 0000000120, interrupted"
    with pytest.raises(FileNotFoundError, match=message):
        run.files.find("7")


def test_presets_are_recorded_as_they_are_used(tmp_path):
    preset = find_preset("dqn", "CartPole-v1")
    agent = DQN("CartPole-v1", preset.apply(DQNConfig()))
    RunFolder(tmp_path).create(agent, RunConfig.default(agent, preset.steps), [])
    recorded = RunFolder(tmp_path).load_config()["config"]
    expected = asdict(agent.config)
    assert recorded == {k: list(v) if isinstance(v, tuple) else v for k, v in expected.items()}


def test_agents_without_a_replay_have_no_rows_to_keep_or_to_load(scribe):
    replay = scribe("CartPole-v1").replay
    assert (replay.rows, replay.capacity, replay.shard()) == (0, 0, None)
    with pytest.raises(CheckpointError, match="does not fit this agent: it has no replay"):
        replay.load_shard({"first_row": 7})
    assert replay.rows == 0
