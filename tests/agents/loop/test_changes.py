"""A run that goes on with other settings is what its config.json says, wherever it is killed."""

import shutil

import pytest
import torch

from agents.commands.train import main as train
from agents.loading import load
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.policy_gradient.ppo import PPO, PPOConfig
from nets.runs.checkpoint import CheckpointError, load_checkpoint
from nets.runs.integrity import problems
from nets.runs.records import load_record, save_record

CONFIG = PPOConfig(hidden=(8,), n_steps=16, epochs=2)
CUT = {"segment_steps": 64, "log_every": 32, "eval_every": 64, "eval_episodes": 1}


def make():
    return PPO("CartPole-v1", CONFIG, seed=2, num_envs=1)


def go_on(path, steps, agent=None):
    run = RunFolder(path)
    agent = make() if agent is None else agent
    config = run.extend(steps) if run.config_file.exists() else RunConfig(steps, **CUT)
    if not run.config_file.exists():
        run.create(agent, config, [])
    Trainer(agent, run, config, progress=False).run(steps)
    return agent


def change(path, steps, **settings):
    run, agent = RunFolder(path), make()
    run.extend(steps)
    run.restore(agent)
    run.adjust(agent)
    return run.change(agent, settings)


@pytest.fixture
def run(tmp_path):
    """A run of 128 steps that is to go on for 192 more, from there by another rate and clip."""
    path = tmp_path / "run"
    go_on(path, 128)
    change(path, 320, learning_rate=0.01, clip=0.1)
    return path


def test_what_changes_is_told_and_written_with_the_step_at_which_it_began(tmp_path):
    go_on(tmp_path, 128)
    told = change(tmp_path, 320, learning_rate=0.01, epochs=CONFIG.epochs)
    assert told == ["learning_rate 0.0003 -> 0.01 from step 128"]
    record = load_record(tmp_path / "config.json")
    assert record["changes"] == [{"step": 128, "config": {"learning_rate": 0.01}}]
    assert record["config"]["learning_rate"] == 3e-4
    go_on(tmp_path, 320)
    rates = {
        file.stem: load_checkpoint(file)["config"]["learning_rate"]
        for file in RunFolder(tmp_path).files.list()
    }
    assert rates == {"0000000192": 0.01, "0000000256": 0.01, "0000000320": 0.01}
    assert list(problems(tmp_path)) == []


def test_it_is_in_force_from_the_first_step_on(run):
    last = load(run, checkpoint="last")
    by_hand, unchanged = make(), go_on(run.parent / "unchanged", 320)
    folder = RunFolder(run.parent / "by hand")
    shutil.copytree(run, folder.path)
    expected = go_on(run, 320)
    assert last.config == CONFIG
    by_hand.adjust(learning_rate=0.01, clip=0.1)
    go_on(folder.path, 320, by_hand)
    assert torch.equal(by_hand.network.weights, expected.network.weights)
    assert not torch.equal(unchanged.network.weights, expected.network.weights)
    assert expected.config == by_hand.config


@pytest.mark.parametrize("kept", [64, 192, 256])
def test_from_whichever_checkpoint_it_goes_on_it_comes_to_the_same_end(run, kept):
    whole = run.parent / "whole"
    shutil.copytree(run, whole)
    expected = go_on(whole, 320)
    if kept > 128:
        go_on(run, 320)
    for file in RunFolder(run).files.list():
        if int(file.stem) > kept:
            file.write_bytes(file.read_bytes()[:-1000])
    with pytest.warns(UserWarning, match="going on from"):
        agent = go_on(run, 320)
    assert torch.equal(agent.network.weights, expected.network.weights)
    assert agent.config == expected.config
    assert list(problems(run)) == []


def test_a_second_change_overrules_what_was_to_come(run):
    told = change(run, 320, learning_rate=0.02)
    assert told == ["learning_rate 0.0003 -> 0.02 from step 128", "clip 0.2 -> 0.1 from step 128"]
    new = {"learning_rate": 0.02, "clip": 0.1}
    assert load_record(run / "config.json")["changes"] == [{"step": 128, "config": new}]


def test_other_settings_than_the_run_ever_had_are_of_another_run(run):
    agent = make()
    agent.adjust(learning_rate=0.5)
    with pytest.raises(CheckpointError, match=r"config.learning_rate is 0.5, in .* 0.0003"):
        go_on(run, 320, agent)


def test_a_function_of_an_unknown_module_needs_trust(run):
    file = run / "config.json"
    record = load_record(file)
    record["changes"][0]["config"]["learning_rate"] = "strange:function"
    save_record(file, record)
    with pytest.raises(ValueError, match="not known to be harmless"):
        go_on(run, 320)


def test_nothing_is_written_where_it_is_refused(tmp_path, capsys):
    words = "ppo CartPole-v1 --steps 256 --num-envs 2 --eval-every 0 --config.n-steps 32"
    assert train([*words.split(), "--run", str(tmp_path / "run")]) == 0
    before = (tmp_path / "run" / "config.json").read_bytes()
    for call, message in {
        "--config.hidden 32": "hidden of ppo cannot change in a training",
        "--steps 512 --config.n-steps 64": "n_steps of ppo cannot change in a training",
        "--config.clip 0.1": "has all of its 256 steps",
    }.items():
        capsys.readouterr()
        assert train(["--resume", str(tmp_path / "run"), *call.split()]) == 2
        assert message in capsys.readouterr().err
        assert (tmp_path / "run" / "config.json").read_bytes() == before
    call = "--steps 512 --config.learning-rate 1e-5 --config.clip 0.2"
    assert train(["--resume", str(tmp_path / "run"), *call.split()]) == 0
    out = capsys.readouterr().out
    assert "-> 1e-05 from step 256" in out
    assert "clip" not in out
    assert load(tmp_path / "run", checkpoint="last").config.learning_rate == 1e-5
    assert list(problems(tmp_path / "run")) == []
