"""`train-generative world`, and what people do with the run: evaluate, learn inside, go on."""

import json
import shlex
import shutil
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents.commands.evaluate import main as evaluate_agent
from agents.commands.render import main as render
from agents.commands.train import main as train_agent
from generative.commands.evaluate import main as evaluate
from generative.commands.sample import main as sample
from generative.commands.train import main as train
from generative.dreams.pictures import GAP
from generative.worlds.world import World
from nets.runs.checkpoint import load_checkpoint
from nets.shell.verify import main as verify

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


def test_what_to_type_next_can_be_typed(here, capsys):
    """Also where the folder's name has a space: the folder is quoted wherever it stands."""
    assert train(["world", "dreamgym/Walk-v0", "--collect", "200", "--run", "my walk"]) == 0
    told = capsys.readouterr().out
    lines = told.split("next:")[1].splitlines()
    calls = [shlex.split(line, comments=True) for line in lines if line.strip()]
    assert len(calls) == 4  # evaluate, train, play, tensorboard
    assert all("my walk" in words for words in calls)
    assert calls[1][-1] == "my walk" == calls[1][calls[1].index("--env.run") + 1]


def test_an_agent_is_measured_in_dreams_and_outside(here, capsys):
    """On the cliff, which was counted whole, both are the same; each from the same starts."""
    collect = ["--collect", "9000"]
    assert train(["world", "dreamgym/Cliff-v0", *collect, "--run", "cliff"]) == 0
    agent = ["value-iteration", "dreamgym/Cliff-v0", "--run", "agent"]
    assert train_agent(agent) == 0
    capsys.readouterr()
    assert evaluate(["cliff", "--actor", "agent", "--episodes", "3", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["agent_real_return"] == figures["agent_dream_return"] == -13
    assert figures["agent_gap"] == figures["agent_gap_error"] == 0
    assert evaluate(["cliff", "--actor", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert evaluate(["cliff", "--actor", "cliff"]) == 2
    assert "holds a generative model" in capsys.readouterr().err


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
    written = Path("one/config.json").read_bytes()
    assert train(["--resume", "one", "--steps", "80"]) == 2
    assert "is not what one was begun with" in capsys.readouterr().err
    assert Path("one/config.json").read_bytes() == written  # it was not made longer
    assert evaluate(["one"]) == 2
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


def test_what_to_type_next_works_for_a_world_of_ones_own(here, monkeypatch, capsys):
    """No dream imports its module, so that the real world is not beside; two numbers are drawn."""
    (here / "hills.py").write_text(
        "import gymnasium as gym\n"
        "gym.register('Hill-v0', 'gymnasium.envs.classic_control:MountainCarEnv', None, True, 9)"
    )
    monkeypatch.syspath_prepend(here)
    assert train(["world", "hills:Hill-v0", *SMALL, "--collect", "60", "--run", "hill"]) == 0
    told = capsys.readouterr().out
    assert "play generative.dreams:dreamgym/Dream-v0 --env.run hill" in told.replace(".py", "")
    assert "--env.beside" not in told
    assert sample(["hill", "--n", "4"]) == 0
    assert (here / "hill/samples.png").exists()


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


@pytest.fixture
def walked(here, capsys):
    """A world that was counted whole, and an agent that learned in its dreams."""
    assert train(["world", "dreamgym/Walk-v0", "--collect", "4000", "--run", "walk"]) == 0
    dream = ["generative.dreams:dreamgym/Dream-v0", "--env.run", "walk"]
    assert train_agent(["value-iteration", *dream, "--run", "agent"]) == 0
    capsys.readouterr()
    return here


def test_film_shows_the_dream_and_the_real_world_beside_it(walked, read_film):
    """The dream is true: both halves are the same to the end, where the real one grows dark."""
    assert render(["agent", "--env.beside", "--out", "both.mp4"]) == 0
    assert render(["agent", "--env.beside", "True", "--out", "both.gif"]) == 0
    assert (walked / "both.gif").stat().st_size > 0
    both, _ = read_film("both.mp4")
    assert len(both) == 4  # the middle, and three steps to the right
    side = both.shape[1]  # of each of two squares, a gap between them
    assert both.shape[2] == 2 * (side + GAP)  # twice as large as it was drawn
    left, right = both[:-1, :, :side], both[:-1, :, -side:]
    assert np.abs(left.astype(int) - right).mean() < 3  # the codec's loss
    assert left.std() > 30
    assert both[-1, :, -side:].mean() < 0.7 * both[-1, :, :side].mean()


def test_an_agent_of_the_real_world_is_shown_in_a_dream_of_it(walked, capsys):
    assert train_agent(["value-iteration", "dreamgym/Walk-v0", "--run", "real"]) == 0
    where = ["--on", "generative.dreams:dreamgym/Dream-v0", "--env.run", "walk", "--env.beside"]
    assert render(["real", *where, "--out", "sheet.png"]) == 0
    assert (walked / "sheet.png").stat().st_size > 0
    assert render(["real", "--on", "CartPole-v1", "--out", "sheet.png"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_person_plays_in_a_dream_with_the_real_world_beside(walked, monkeypatch, capsys):
    import pygame

    from agents.commands.play import main as play
    from agents.commands.window import Window

    shown, wait = [], Window.wait
    keys = [pygame.K_RIGHT] * 10 + [pygame.K_ESCAPE]
    show = Window.show

    def see(window, picture, *words):
        shown.append(picture.shape)
        show(window, picture, *words)

    def press(window, rate):
        wait(window, rate)
        key = keys.pop(0) if keys else pygame.K_ESCAPE
        for kind in (pygame.KEYDOWN, pygame.KEYUP):
            pygame.event.post(pygame.event.Event(kind, key=key))

    monkeypatch.setattr(Window, "wait", press)
    monkeypatch.setattr(Window, "show", see)
    dream = ["generative.dreams:dreamgym/Dream-v0", "--env.run", "walk"]
    assert play([*dream, "--env.beside", "True"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("keys: ")
    beside = shown[0]
    shown.clear()
    assert play(dream) == 0
    height, width, _ = shown[0]
    assert beside == (height, 2 * width + GAP, 3)


def test_verify_reads_what_was_lived_through(here, capsys):
    """A world learns from `episodes.pt`, which lies in its folder, wherever that was moved to."""
    assert train(["world", "dreamgym/Walk-v0", "--collect", "200", "--run", "walk"]) == 0
    run = shutil.move("walk", "moved")
    assert verify([run]) == 0
    file = here / "moved" / "episodes.pt"
    file.write_bytes(file.read_bytes()[:-100])
    capsys.readouterr()
    assert verify([run]) == 1
    assert "episodes.pt is not as it was: its SHA-256 is" in capsys.readouterr().out
    file.unlink()
    assert verify([run]) == 1
    assert "episodes.pt is lost" in capsys.readouterr().out
