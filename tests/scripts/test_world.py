"""`train-generative world`, and what people do with the run: evaluate, learn inside, go on."""

import json
import shutil

import gymnasium as gym
import pytest
import torch

from agents.commands.evaluate import main as evaluate_agent
from agents.commands.train import main as train_agent
from generative.commands.evaluate import main as evaluate
from generative.commands.train import main as train
from generative.worlds.world import World
from nets.runs.checkpoint import load_checkpoint

SMALL = ["--config.hidden", "16", "--config.members", "2", "--steps", "40", "--collect", "300"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of one's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_lake_is_counted_measured_and_learned_in(here, capsys):
    """From experience to an agent that acts in the real world, by commands alone."""
    assert train(["world", "dreamgym/Lake-v0", "--collect", "3000", "--run", "lake"]) == 0
    told = capsys.readouterr().out
    assert "lived through 3,000 steps of dreamgym/Lake-v0" in told
    assert "dreams.png" in told
    assert evaluate(["lake", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert 0 < figures["total_variation"] < 0.2
    assert figures["regret"] < 0.2
    dream = ["generative.dreams:dreamgym/Dream-v0", "--env.run", "lake"]
    assert train_agent(["q-learning", *dream, "--steps", "30000", "--run", "agent"]) == 0
    assert evaluate_agent(["agent", "--on", "dreamgym/Lake-v0", "--json", "--episodes", "200"]) == 0
    real = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert real["mean_return"] > 0.3  # 0.01 at random, 0.74 at best


def test_world_goes_on_to_the_same_bits(here, capsys):
    """From an earlier checkpoint, with what was lived through then."""
    assert train(["world", "CartPole-v1", *SMALL, "--run", "whole"]) == 0
    shutil.copytree("whole", "cut")
    last = max((here / "cut" / "checkpoints").glob("*.pt"))
    last.unlink()
    assert train(["--resume", "cut"]) == 0
    whole, cut = (
        load_checkpoint(here / run / "checkpoints" / last.name)["weights"]
        for run in ("whole", "cut")
    )
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_experience_that_was_exchanged_is_refused(here, capsys):
    for run, seed in (("one", "0"), ("other", "1")):
        assert train(["world", "CartPole-v1", *SMALL, "--run", run, "--seed", seed]) == 0
    shutil.copy("other/episodes.pt", "one/episodes.pt")
    assert train(["--resume", "one", "--steps", "80"]) == 2
    assert "is not what one was begun with" in capsys.readouterr().err


def test_a_folder_that_holds_a_run_keeps_it(here, capsys):
    """Nothing is lived through, and nothing is written over."""
    assert train(["world", "dreamgym/Walk-v0", "--collect", "200", "--run", "walk"]) == 0
    before = {file: file.read_bytes() for file in (here / "walk").rglob("*") if file.is_file()}
    capsys.readouterr()
    assert train(["world", "dreamgym/Lake-v0", "--collect", "100", "--run", "walk"]) == 2
    told = capsys.readouterr()
    assert "walk already holds a run: resume it, or choose another folder" in told.err
    assert "lived through" not in told.out
    after = {file: file.read_bytes() for file in (here / "walk").rglob("*") if file.is_file()}
    assert after == before


def test_run_folder_dreams_elsewhere_and_runs_nothing(here, monkeypatch):
    """A copied folder is all it takes; the real world is not made."""
    assert train(["world", "dreamgym/Walk-v0", "--collect", "200", "--run", "walk"]) == 0
    shutil.move("walk", "moved")
    made = []
    make = gym.make
    monkeypatch.setattr(gym, "make", lambda env_id, **kw: made.append(env_id) or make(env_id, **kw))
    env = gym.make("generative.dreams:dreamgym/Dream-v0", run="moved")
    env.reset(seed=0)
    env.step(1)
    assert made == ["generative.dreams:dreamgym/Dream-v0"]
    assert isinstance(env.unwrapped.world, World)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["world"], "write world ENV_ID first"),
        (["world", "CartPole-v9"], "CartPole"),
        (["world", "CartPole-v1", "--config.model", "table"], "a table counts Discrete ones"),
        (["world", "CartPole-v1", "--collect", "0"], "collect"),
        (["world", "CartPole-v1", "--held-out", "1"], "held_out is 1.0: expected a share in [0,"),
        (["world", "CartPole-v1", "--actor", "nowhere"], "nowhere"),
        (["world", "Blackjack-v1"], "worlds are learned of Discrete and Box"),
    ],
)
def test_what_cannot_work_is_refused_before_work_starts(here, capsys, words, said):
    assert train(words) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1
    assert "lived through" not in told.out
    assert not list(here.iterdir())
