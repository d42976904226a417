"""Runs, and saved files, of commit 7e36e39: they load, act, are drawn and go on as they did then.

What they are and how they were made is in data/runs/README.md.
"""

import json
import shutil
from contextlib import chdir
from pathlib import Path

import gymnasium as gym
import imageio.v3 as iio
import numpy as np
import pytest
import torch
from command_runs import ROOT, nursery
from leftovers import leaves, rows_of
from old_runs import (
    AGENTS,
    FILES,
    FINISHED,
    MEASURED,
    MODELS,
    figures,
    go_on,
    measures,
    newest,
    returns,
    script,
)

import agents
import generative
from agents.loop.run import sources
from nets.runs.fingerprints import checkpoint_source

pytestmark = pytest.mark.filterwarnings("ignore:.*not bit for bit as it would have.*torch was")
RUNS = Path(__file__).with_name("data") / "runs"
EXPECTED = json.loads((RUNS / "EXPECTED.json").read_text())
MINATAR = """
import gymnasium as gym
import numpy as np


class Game(gym.Env):
    observation_space = gym.spaces.Box(0, 1, (10, 10, 4), bool)
    action_space = gym.spaces.Discrete(3)

    def __init__(self, game, use_minimal_action_set):
        self.game = game

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros((10, 10, 4), bool), {}

    def step(self, action):
        return np.zeros((10, 10, 4), bool), 7.0, True, False, {}


def register_envs():
    gym.register("MinAtar/Breakout-v1", "minatar.gym:Game", kwargs={"game": "breakout"})
"""


@pytest.fixture(autouse=True)
def there():
    """Be where the runs are, which name each other by their folders."""
    with chdir(RUNS):
        yield


@pytest.fixture
def copied(tmp_path):
    """Be where a copy of the runs is, to change it."""
    with chdir(shutil.copytree(RUNS, tmp_path / "runs")):
        yield


def state_of(file):
    """What a file holds, read with torch alone."""
    return torch.load(file, weights_only=True)["state"]


def close_to(values):
    """Other processors round otherwise; weights that were mixed up are further away."""
    return pytest.approx(values, rel=1e-3, abs=1e-4)


# Loading and acting -----------------------------------------------------------------------------


@pytest.mark.parametrize("run", [*AGENTS, *FINISHED])
def test_an_agent_has_the_weights_of_its_run_and_acts_as_it_did(run):
    state, agent = state_of(newest(run)), agents.load(run, checkpoint="last", device="cpu")
    assert (agent.name, agent.steps) == (state["algorithm"], int(newest(run).stem))
    assert list(leaves(agent.state_dict())) == list(leaves(state["agent"]))
    assert returns(run) == close_to(EXPECTED[run]["returns"])


@pytest.mark.parametrize("file", FILES)
def test_an_agent_that_was_saved_acts_as_it_did(file, tmp_path):
    agent = agents.load(file, device="cpu")
    assert list(leaves(agent.state_dict())) == list(leaves(state_of(file)["agent"]))
    assert returns(file) == close_to(EXPECTED[file]["returns"])
    agent.save(tmp_path / file)
    again, before = state_of(tmp_path / file), state_of(file)
    assert list(leaves(again["agent"])) == list(leaves(before["agent"]))
    assert again["algorithm"] == before["algorithm"]
    assert again["config"].items() >= before["config"].items()  # and what is set since, as it was


def test_an_agent_of_a_model_acts_in_the_world_that_it_is_given():
    with pytest.raises(ValueError, match="cannot be made again from a file: pass env="):
        agents.load("model-env.pt")
    agent = agents.load("model-env.pt", "FrozenLake-v1")
    assert agent.steps == 2000
    assert np.array_equal(agent.q, state_of("model-env.pt")["agent"]["q"][0])


@pytest.mark.parametrize("run", ["dqn-interrupted", "gan-interrupted"])
def test_the_moment_of_an_interruption_is_loaded(run):
    package = agents if run in AGENTS else generative
    loaded = package.load(run, checkpoint="interrupted", device="cpu")
    state = state_of(Path(run) / "checkpoints" / "interrupted.pt")
    expected = state["agent"] if run in AGENTS else state["average"]
    assert list(leaves(dict(loaded.state_dict()))) == list(leaves(dict(expected)))


def test_a_fresh_process_finds_the_modules_that_files_name(tmp_path):
    """From outside of the project; a stand-in for MinAtar, which need not be installed."""
    (tmp_path / "minatar").mkdir()
    (tmp_path / "minatar" / "__init__.py").write_text("")
    (tmp_path / "minatar" / "gym.py").write_text(MINATAR)
    code = """
import sys, agents, generative
for run in ("dqn-latent-wrapper", "dqn-latent", "dqn-minatar", "ppo-pointmass", "q-learning-cliff"):
    agent = agents.load(run)
    print(run, agent.source.make().observation_space.shape == agent.observation_space.shape)
print(agents.evaluate(agents.load("dqn-minatar"), episodes=2).returns)
print(generative.load("vae.pt").name)
"""
    process = nursery().run(code, RUNS, path=["", str(tmp_path), str(ROOT)])
    assert process.returncode == 0, process.stderr
    *made, game, model = process.stdout.splitlines()
    assert all(line.endswith(" True") for line in made)
    assert (game, model) == ("[7.0, 7.0]", "vae")


@pytest.mark.parametrize(
    ("run", "name", "other"),
    [
        ("bc-snake", "expert", "a2c-snake"),
        ("dqn-pretrained", "pretrained", "dqn-cartpole"),
        ("dqn-latent", "run", "vae-catch"),
        ("dqn-latent-wrapper", "run", "vae-catch"),
        ("dqn-cartpole", None, None),
    ],
)
def test_the_runs_that_a_run_takes_something_from_are_known(run, name, other):
    agent = agents.load(run, device="cpu")
    found = {kind: place["sha256"] for kind, place in sources(agent.config, agent.source).items()}
    assert found == ({} if name is None else {name: checkpoint_source(other)["sha256"]})


# Drawing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", ["dqn-stacked", "dqn-latent", "dqn.pt"])
def test_an_episode_is_drawn(run, tmp_path):
    script("render", run, "--out", tmp_path / "sheet.png")
    sheet = iio.imread(tmp_path / "sheet.png")
    assert sheet.ndim == 3
    assert len(np.unique(sheet)) > 2


@pytest.mark.parametrize("run", ["vae-digits", "dcgan-digits"])
def test_samples_are_drawn(run, tmp_path):
    script("sample", run, "--n", 9, "--out", tmp_path / "samples.png")
    assert len(np.unique(iio.imread(tmp_path / "samples.png"))) > 2


# Going on ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", [*AGENTS, *MODELS])
def test_a_run_goes_on_as_it_would_have(run, copied):
    """Its weights would differ if an optimiser's state came to other parameters."""
    before, saved = rows_of(Path(run)), int(newest(run).stem)
    loaded, expected = go_on(run), EXPECTED[run]
    assert int(newest(run).stem) == expected["step"]
    assert figures(loaded.state_dict()) == close_to(expected["figures"])
    kept = [row for row in before if int(row["step"]) <= saved]
    after = rows_of(Path(run))
    assert [{name: row[name] for name in kept[0]} for row in after[: len(kept)]] == kept
    assert (Path(run) / ("episode.gif" if run in AGENTS else "samples.png")).exists()


def test_a_run_that_has_not_begun_takes_the_encoder_of_an_earlier_one(copied):
    folder = Path("begun")
    folder.mkdir()
    shutil.copy("dqn-pretrained/config.json", folder)
    script("train", "--resume", folder)
    donor, begun = (agents.load(run, device="cpu").state_dict() for run in ("dqn-cartpole", folder))
    trunk = [name for name in begun["online"] if name.startswith("0.")]
    assert trunk
    assert all(torch.equal(donor["online"][name], begun["online"][name]) for name in trunk)
    assert agents.load(folder, checkpoint="last").steps == 600


def test_a_picture_encoder_is_taken_from_an_earlier_run():
    world = gym.make("envs:dreamgym/Snake-v0", size=4, obs="board")
    config = agents.PPOConfig(pretrained="a2c-snake", freeze_encoder=True, n_steps=8, batch_size=8)
    agent = agents.PPO(world, config, num_envs=2, device="cpu").learn(16, progress=False)
    donor, mine = agents.load("a2c-snake").state_dict()["network"], agent.state_dict()["network"]
    body = [name for name in mine if name.startswith("body.")]
    assert body
    assert all(torch.equal(donor[name], mine[name]) for name in body)


def test_a_comparison_goes_on(copied):
    folder = Path("compare-cliff")
    record = json.loads((folder / "sarsa" / "seed-0.json").read_text())
    (folder / "sarsa" / "seed-0.json").unlink()  # as if it had been cut off before the last line
    lengths = ("--steps", 2000, "--eval-episodes", 2, "--seeds", 1)
    printed = script("compare", "q-learning,sarsa", "dreamgym/Cliff-v0", *lengths, "--out", folder)
    assert "2 runs, 1 to do" in printed
    again = json.loads((folder / "sarsa" / "seed-0.json").read_text())
    settings = again["config"]["settings"]
    later = settings.keys() - record["config"]["settings"].keys()
    assert not any(settings.pop(name) for name in later)  # what came later is off
    assert again["config"] == record["config"]
    assert again["result"]["returns"] == record["result"]["returns"]


# Models -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", [*MODELS, "vae-catch"])
def test_a_model_has_the_weights_of_its_run(run):
    state, model = state_of(newest(run)), generative.load(run, checkpoint="last", device="cpu")
    assert (model.name, list(model.shape)) == (state["model"], state["shape"])
    weights = dict(state["average"] or state["weights"])
    assert list(leaves(dict(model.state_dict()))) == list(leaves(weights))
    assert model.sample(2).shape == (2, *model.shape)


def test_a_model_that_was_saved_is_loaded():
    model = generative.load("vae.pt", device="cpu")
    assert list(leaves(dict(model.state_dict()))) == list(
        leaves(dict(state_of("vae.pt")["weights"]))
    )


def test_a_world_that_was_saved_is_dreamed_as_it_was():
    """Where it goes and what it pays, of an ensemble that had no other scales than a mean's."""
    world = generative.load("world.pt", device="cpu")
    u = torch.tensor([[0.2], [0.7]])
    state, paid = world.begin(world.starts[:2], u), []
    for push in (1.0, -2.0, 0.5):
        state, _, reward, _ = world.step(state, torch.full((2, 1), push), u)
        paid.append(reward)
    dreamed = torch.cat([*paid, state[0].flatten()]).tolist()
    assert dreamed == close_to(EXPECTED["world.pt"]["dream"])


def test_a_model_is_measured_as_it_was():
    """On data that another run plays, with chance of its own."""
    then = EXPECTED[MEASURED]["measures"]
    now = {name: value for name, value in measures(MEASURED).items() if name in then}
    assert now == pytest.approx(then, rel=0.01, abs=1e-3)
