"""A stranger's run folder runs nothing and writes nothing; one's own needs one word."""

import os
import shutil
import sys
from contextlib import contextmanager

import gymnasium as gym
import pytest

import agents
import generative
from agents.commands.evaluate import main as evaluate
from agents.commands.export import main as export
from agents.commands.render import main as render
from agents.commands.train import main as train
from generative.commands.sample import main as sample
from generative.commands.train import main as imagine
from nets.runs.checkpoint import (
    CheckpointError,
    UntrustedError,
    load_checkpoint,
    save_checkpoint,
)
from nets.runs.finding import find_checkpoint
from nets.runs.records import load_record, save_record

MINE = """
from pathlib import Path
import gymnasium as gym
from gymnasium.envs.classic_control import CartPoleEnv
gym.register("Mine-v0", entry_point="mine:Mine", max_episode_steps=20)
Path(__file__).with_name("trace").touch()

class Mine(CartPoleEnv):
    pass
"""


@contextmanager
def fresh_process():
    """Forget the module, as if it had never been imported here."""
    yield
    sys.modules.pop("mine", None)
    gym.registry.pop("Mine-v0", None)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder that can be imported from, with a module that leaves a trace."""
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with fresh_process():
        yield tmp_path


TINY = "--config.hidden 4 --config.buffer-size 50 --config.learning-starts 50"
ON_IT = [
    (evaluate, "own --episodes 1"),
    (render, "own --out film.png"),
    (export, "own --out policy.pt2"),
    (train, "--resume own"),
]


def test_a_run_of_ones_own_module_needs_one_word(here, capsys):
    with fresh_process():
        line = f"dqn mine:Mine-v0 --steps 100 --eval-every 0 {TINY} --run own"
        assert train(line.split()) == 0
    said = capsys.readouterr().out
    assert "evaluate own --trust" in said.replace(".py", "")
    assert "--resume own --steps 200 --trust" in said
    (here / "trace").unlink()
    for command, line in ON_IT:
        assert command(line.split()) == 2, line
        out, err = capsys.readouterr()
        assert not out
        assert err.count("\n") == 1
        assert "asks for the environment 'mine:Mine-v0', which is not known to be harmless" in err
        assert "if you trust whoever made it, add --trust (in Python trust=True)" in err
    assert not (here / "trace").exists()
    for command, line in ON_IT:
        with fresh_process():
            assert command([*line.split(), "--trust"]) == 0, line
    with pytest.raises(UntrustedError, match="'mine:Mine-v0'"):
        agents.load("own")
    assert agents.load("own", "CartPole-v1").steps == 100  # named by whoever loads
    assert "mine" not in sys.modules
    assert agents.load("own", trust=True).source.name == "Mine-v0"


def test_no_module_in_a_runs_own_folder_is_trusted(here, capsys, monkeypatch):
    with fresh_process():
        line = f"dqn mine:Mine-v0 --steps 100 --eval-every 0 {TINY} --run own"
        assert train(line.split()) == 0
    (here / "trace").unlink()
    (here / "mine.py").rename(here / "own" / "mine.py")
    monkeypatch.chdir(here / "own")
    capsys.readouterr()
    with fresh_process():
        assert evaluate([".", "--episodes", "1", "--trust"]) == 2
    assert "No module named 'mine'" in capsys.readouterr().err
    assert not (here / "trace").exists()


@pytest.fixture
def gift(here):
    """A run of a known world, which a stranger goes on to change."""
    line = "q-learning FrozenLake-v1 --steps 100 --eval-every 0 --run gift"
    assert train(line.split()) == 0
    return here / "gift"


def change(run, hurt):
    """Change what the config.json and all checkpoints of a run ask for."""
    for file in run.rglob("*.pt"):
        state = load_checkpoint(file)
        hurt(state)
        save_checkpoint(file, state)
    record = load_record(run / "config.json")
    hurt(record)
    save_record(run / "config.json", record)  # a stranger can count, too


def monitored(record):
    monitor, settings = "stable_baselines3.common.monitor:Monitor", {"filename": "home/mine"}
    record["env"]["wrappers"] = [{"entry_point": monitor, "kwargs": settings}]


def filmed(record):
    settings = {"video_folder": "home/films"}
    wrapper = {"entry_point": "gymnasium.wrappers:RecordVideo", "kwargs": settings}
    record["env"] |= {"wrappers": [wrapper], "kwargs": {"render_mode": "rgb_array"}}


def imported(record):
    record["env"]["id"] = "mine:FrozenLake-v1"


def started(record):
    record["env"]["id"] = "test.__main__:FrozenLake-v1"


@pytest.mark.parametrize("hurt", [monitored, filmed, imported, started])
@pytest.mark.parametrize(("command", "line"), [(evaluate, "gift"), (train, "--resume gift")])
def test_a_strangers_run_writes_and_runs_nothing(here, gift, hurt, command, line, capsys):
    (here / "home").mkdir()
    (here / "home" / "mine.monitor.csv").write_text("precious")
    change(gift, hurt)
    capsys.readouterr()
    assert command(line.split()) == 2
    assert "asks for" in capsys.readouterr().err
    assert [file.name for file in (here / "home").iterdir()] == ["mine.monitor.csv"]
    assert (here / "home" / "mine.monitor.csv").read_text() == "precious"
    assert not (here / "trace").exists()


def test_links_in_a_strangers_run_lead_nowhere(here, gift, capsys):
    home = here / "home"
    home.mkdir()
    (home / "0000000001.pt").write_text("precious")
    shutil.rmtree(gift / "checkpoints")
    (gift / "checkpoints").symlink_to(home)
    assert train(["--resume", "gift"]) == 2
    assert "checkpoints is a link" in capsys.readouterr().err
    assert (home / "0000000001.pt").read_text() == "precious"


def test_a_picture_is_not_written_through_a_link(here, capsys):
    assert imagine(["vae", "digits", "--steps", "2", "--limit", "60", "--run", "r"]) == 0
    (here / "precious").write_text("precious")
    (here / "r" / "samples.png").unlink()
    (here / "r" / "samples.png").symlink_to(here / "precious")
    unfinished = here / "r" / f".samples.png.{os.getpid()}.tmp"
    unfinished.symlink_to(here / "precious")
    assert sample(["r", "--n", "2"]) == 0
    assert (here / "precious").read_text() == "precious"


# Models -----------------------------------------------------------------------------------------

SMALL = "--size 8 --limit 40 --steps 2 --draw-every 0 --latent 2 --config.hidden 8"
MODELS = [(evaluate, "own"), (imagine, "--resume own --steps 3")]


def test_the_data_of_a_run_import_nothing(here, capsys):
    line = f"vae frames:mine:Mine-v0 {SMALL} --config.encoder mlp --run own"
    with fresh_process():
        assert imagine(line.split()) == 0
    said = capsys.readouterr().out
    assert "sample own --n 100 --seed 1 --trust" in said.replace(".py", "")
    (here / "trace").unlink()
    for command, line in MODELS:
        assert command(line.split()) == 2, line
        assert "asks for the environment 'mine:Mine-v0'" in capsys.readouterr().err
    assert sample(["own", "--n", "2"]) == 0  # a model needs no data
    generative.load("own")
    assert not (here / "trace").exists()
    with fresh_process():
        assert sample(["own", "--n", "2", "--trust"]) == 0


def test_data_that_an_agent_of_a_stranger_plays(here, gift, capsys):
    """A person names the environment, but not what the agent's file asks for."""
    change(gift, imported)
    line = f"vae frames:FrozenLake-v1@gift {SMALL} --config.encoder mlp --run r"
    assert imagine(line.split()) == 2
    assert "gift/checkpoints/0000000100.pt asks for" in capsys.readouterr().err
    assert not (here / "trace").exists()


def test_an_agent_may_play_the_very_world_that_is_named(here):
    with fresh_process():
        line = f"dqn mine:Mine-v0 --steps 100 --eval-every 0 {TINY} --run own"
        assert train(line.split()) == 0
    data = generative.load_dataset("frames:mine:Mine-v0@own", size=4, limit=8)
    assert data.shape == (3, 4, 4)


# Damage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["[]", "5", "null", "[" * 10**5, '{"a": ' * 10**5, "1" * 5000])
def test_a_config_of_another_kind_is_told_in_one_line(gift, text, capsys):
    (gift / "config.json").write_text(text)
    for command, line in ((train, "--resume gift"), (imagine, "--resume gift"), (evaluate, "gift")):
        assert command(line.split()) == 2
        err = capsys.readouterr().err
        assert "config.json" in err
        assert err.count("\n") == 1


WRONG = [
    ("env", 5),
    ("env", {}),
    ("config", []),
    ("config", {"discount": "x"}),
    ("run", []),
    ("run", {"steps": "x"}),
    ("seed", "x"),
    ("algorithm", ["dqn"]),
    ("device", []),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_config_of_wrong_types_is_told_in_one_line(gift, name, value, capsys):
    save_record(gift / "config.json", load_record(gift / "config.json") | {name: value})
    capsys.readouterr()
    assert train(["--resume", "gift"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("name", "value"), [each for each in WRONG if each[0] not in "run device"])
def test_a_checkpoint_of_wrong_types_is_blamed_on_its_file(gift, name, value):
    file = find_checkpoint(gift)
    save_checkpoint(file, load_checkpoint(file) | {name: value})
    with pytest.raises(CheckpointError, match=r"0000000100\.pt"):
        agents.load("gift")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("progress", "x"),
        ("progress", {"recent": 5}),
        ("steps", 1.5),
        ("segment", "x"),
        ("replay_rows", []),
    ],
)
def test_a_checkpoint_that_nobody_can_go_on_from_is_told_in_one_line(gift, name, value, capsys):
    file = find_checkpoint(gift)
    save_checkpoint(file, load_checkpoint(file) | {name: value})
    capsys.readouterr()
    assert train(["--resume", "gift"]) == 2
    err = capsys.readouterr().err
    assert "gift" in err
    assert err.count("\n") == 1
