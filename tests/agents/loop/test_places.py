"""A run goes on from any folder, and finds what it takes from elsewhere where both were moved."""

import shutil
from pathlib import Path

import gymnasium as gym
import pytest

from agents import loading
from agents.environments.source import EnvSource
from agents.imitation.agent import BehaviourCloning
from agents.imitation.fit import BCConfig
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.policy_gradient.ppo import PPO, PPOConfig
from agents.tabular.temporal_difference import QLearning
from nets.runs.checkpoint import (
    CheckpointError,
    load_checkpoint,
    load_json,
    save_checkpoint,
    save_json,
)
from nets.runs.integrity import problems
from nets.runs.places import found_again, rooted

CUT = {"segment_steps": 500, "log_every": 250, "eval_every": 0}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with an expert, and a clone of it that was begun there; the former is current."""
    home = tmp_path / "project"
    home.mkdir()
    monkeypatch.chdir(home)
    expert = RunFolder("runs/expert")
    _train(expert, QLearning("FrozenLake-v1"), 500)
    _train(RunFolder("runs/clone"), _clone(), 500)
    return home


def _clone():
    return BehaviourCloning("FrozenLake-v1", BCConfig(expert="runs/expert", epochs=1))


def _train(run, agent, steps):
    if not run.config_file.exists():
        run.create(agent, RunConfig(steps=2000, **CUT), ["train"])
    Trainer(agent, run, RunConfig(steps=steps, **CUT), progress=False).run(steps)


def _resumed(run):
    record = run.load_config()
    fresh = record | {"steps": 0, "segment": 0}
    return BehaviourCloning.from_manifest(fresh, EnvSource.restore(record["env"]))


def test_it_goes_on_from_any_folder(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = RunFolder(home / "runs" / "clone")
    agent = _resumed(run)
    _train(run, agent, 1000)
    assert (agent.steps, agent.config.expert) == (1000, str(home / "runs" / "expert"))


@pytest.mark.parametrize("copied", [False, True])
def test_what_was_moved_with_it_is_found_again(home, tmp_path, monkeypatch, copied):
    """Where both copies are there, the one that it was begun with."""
    (shutil.copytree if copied else shutil.move)(home, tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    run = RunFolder(tmp_path / "moved" / "runs" / "clone")
    agent = _resumed(run)
    _train(run, agent, 1000)
    where = home if copied else tmp_path / "moved"
    assert (agent.steps, agent.config.expert) == (1000, str(where / "runs" / "expert"))
    _, last = run.files.list()
    run.keep(agent, run.files.best)
    assert [*problems(run.path)] == []
    assert load_checkpoint(last)["config"]["expert"] == str(home / "runs" / "expert")
    assert loading.load(run.path).config.expert == agent.config.expert


def test_another_expert_in_its_place_is_refused(home):
    shutil.rmtree("runs/expert")
    _train(RunFolder("runs/expert"), QLearning("FrozenLake-v1", seed=1), 500)
    run = RunFolder("runs/clone")
    with pytest.raises(CheckpointError, match=r"expert .* is not what .*clone was begun with"):
        run.restore(_resumed(run))


def test_without_the_expert_it_still_plays_and_training_names_it(home):
    shutil.rmtree("runs/expert")
    run = RunFolder("runs/clone")
    agent = loading.load(run.path)
    agent.predict(0)
    with pytest.raises(FileNotFoundError, match=rf"no checkpoint at {home / 'runs' / 'expert'}"):
        _train(run, _resumed(run), 1000)


def test_a_run_that_had_written_down_its_expert_as_typed_goes_on_there(home):
    """As runs of before."""
    run = RunFolder("runs/clone")
    (file,) = run.files.list()
    record = load_json(run.config_file)
    record["config"]["expert"] = "runs/expert"
    record["sources"]["expert"]["path"] = "runs/expert"
    for name in ("folder", "checksum", "processor", "git_dirty"):
        del record[name]
    save_json(run.config_file, record)
    state = load_checkpoint(file)
    state["config"]["expert"] = "runs/expert"
    del state["record"]
    save_checkpoint(file, state)
    for shard in run.replay.iterdir():
        rows = load_checkpoint(shard)
        del rows["record"]
        save_checkpoint(shard, rows)
    agent = _resumed(run)
    _train(run, agent, 1000)
    assert agent.steps == 1000


def test_what_a_training_begins_with_and_what_a_world_is_made_of_are_recorded_from_the_root(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert PPOConfig(pretrained=Path("runs/ae")).pretrained == str(tmp_path / "runs" / "ae")
    assert PPOConfig(pretrained="/runs/ae").pretrained == "/runs/ae"
    agent = PPO("CartPole-v1")
    agent.save("pole.pt")
    assert PPO("CartPole-v1").start_from("pole.pt").begun_from == str(tmp_path / "pole.pt")
    dream = EnvSource.of("generative.dreams:dreamgym/Dream-v0").adapted({"run": "runs/w"}, {})
    assert dream.describe()["kwargs"]["run"] == str(tmp_path / "runs" / "w")
    around = {"generative.latents:LatentObservation": {"run": "runs/ae"}}
    seen = EnvSource.of("CartPole-v1").adapted({}, around)
    assert seen.describe()["wrappers"][0]["kwargs"]["run"] == str(tmp_path / "runs" / "ae")


def test_arguments_of_other_worlds_are_not_ours_to_read(monkeypatch):
    gym.register("Runner-v0", "gymnasium.envs.classic_control:CartPoleEnv", kwargs={"run": "fast"})
    try:
        assert EnvSource.of(gym.spec("Runner-v0").id).spec.kwargs == {"run": "fast"}
    finally:
        del gym.registry["Runner-v0"]


def test_only_what_is_gone_and_lies_beside_the_run_is_found_elsewhere(tmp_path):
    began, now = tmp_path / "old" / "runs" / "a", tmp_path / "new" / "runs" / "a"
    (tmp_path / "new" / "data").mkdir(parents=True)
    gone = str(tmp_path / "old" / "data")
    said = {
        "spec": f"frames:Catch-v0@{gone}",
        "deep": [gone, 3],
        "else": f"{gone}s",
        "name": "data",
    }
    found = found_again(said, str(began), now)
    there = str(tmp_path / "new" / "data")
    assert found == said | {"spec": f"frames:Catch-v0@{there}", "deep": [there, 3]}
    assert found_again(said, None, now) == said
    hostile = ["/" + "x" * 10_000, "/\0", "@", "/", "\\", "//host/share"]
    assert found_again(hostile, str(began), now) == hostile
    assert rooted("/x") == "/x"
