"""Demonstrations of Minari: written of an agent's episodes, and learned from."""

import json
import os
import warnings
from functools import partial
from shutil import copytree

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from agents import PPO, BCConfig, BehaviourCloning, RunConfig, RunFolder, Trainer, ValueIteration
from agents.commands.export import main as export
from agents.commands.train import main as train
from agents.imitation.datasets import read_demonstrations, write_demonstrations
from nets.shell.command_line import USAGE_ERROR

minari = pytest.importorskip("minari", reason="needs dreamgym[minari]")
h5py = pytest.importorskip("h5py", reason="needs dreamgym[minari]")
LAKE, NAME = "envs:dreamgym/Lake-v0", "lake/expert-v0"


@pytest.fixture(scope="module")
def expert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("minari")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINARI_DATASETS_PATH", str(folder))
        agent = ValueIteration(LAKE).learn(200, progress=False)
        assert write_demonstrations(agent, NAME, 12, seed=5) > 12
        yield agent


def steps_of(name):
    return sum(len(each.rewards) for each in minari.load_dataset(name))


@pytest.mark.parametrize(("env", "make"), [(LAKE, ValueIteration), ("CartPole-v1", PPO)])
def test_a_data_set_is_what_happened(expert, env, make):
    agent = expert if env == LAKE else make(env)
    name = NAME if env == LAKE else "pole/beginner-v0"
    if env != LAKE:
        write_demonstrations(agent, name, 3, seed=5, max_steps=20)
    data = minari.load_dataset(name)
    world = gym.make(env)
    assert data.observation_space == world.observation_space
    assert data.action_space == world.action_space
    assert data.env_spec.id == world.spec.id
    for k, episode in enumerate(data):
        seen = [world.reset(seed=5 + k)[0]]
        for action, reward, terminated in zip(
            episode.actions, episode.rewards, episode.terminations, strict=True
        ):
            assert agent.predict(seen[-1], deterministic=True)[0] == action
            observation, given, ended, *_ = world.step(action)
            assert (given, ended) == (reward, terminated)
            seen.append(observation)
        np.testing.assert_array_equal(episode.observations, np.stack(seen))
        assert episode.terminations[-1] or episode.truncations[-1]
        assert not (episode.terminations | episode.truncations)[:-1].any()


@pytest.mark.slow
def test_a_clone_of_a_data_set_does_what_was_done(expert):
    steps = steps_of(NAME)
    clone = BehaviourCloning(LAKE, BCConfig(demonstrations=NAME, epochs=60, patience=60))
    for part in (steps // 3, steps + 50):  # past its end there is nothing new
        clone.learn(part, progress=False)
    assert clone.demonstrations.rows == steps
    returns = [float(each.rewards.sum()) for each in minari.load_dataset(NAME)]
    progress = clone._training.progress
    assert list(progress.recent) == returns
    data = read_demonstrations(NAME, clone.observation_space, clone.action_space)
    states = np.unique(data.observation)
    assert (clone.predict(states, deterministic=True)[0] == expert.predict(states)[0]).mean() > 0.9
    assert "disagreement" not in clone.metrics
    assert f"imitates {NAME}" in clone.report()


def test_a_run_goes_on_where_it_was_in_the_data_set(expert, tmp_path):
    cut = RunConfig(steps=120, segment_steps=40, log_every=20, eval_every=0)
    clones = []
    for name, stops in (("whole", [120]), ("resumed", [40, 120])):
        for stop in stops:
            clone = BehaviourCloning(LAKE, BCConfig(demonstrations=NAME, epochs=3))
            run = RunFolder(tmp_path / name)
            if not run.config_file.exists():
                run.create(clone, cut)
            Trainer(clone, run, cut, progress=False).run(stop)
        clones.append(clone.network.state_dict())
    assert all(clones[0][name].equal(clones[1][name]) for name in clones[0])


def imitate(name):
    BehaviourCloning(LAKE, BCConfig(demonstrations=name)).begin()


def test_what_cannot_be_learned_from_is_refused(expert, monkeypatch):
    with pytest.raises(ValueError, match="one of the two"):
        BehaviourCloning(LAKE, BCConfig(demonstrations=NAME, expert="x"))
    with pytest.raises(FileNotFoundError, match="minari download lake/none-v0"):
        BehaviourCloning(LAKE, BCConfig(demonstrations="lake/none-v0")).begin()
    with pytest.raises(ValueError, match=r"has observations Discrete.*, the world Box"):
        BehaviourCloning("CartPole-v1", BCConfig(demonstrations=NAME)).begin()
    for name in ("lake", "a b/c-v0"):
        for make in (partial(write_demonstrations, expert), imitate):
            with pytest.raises(ValueError, match=f"data set is {name!r}: expected a name and its"):
                make(name)
    with pytest.raises(ValueError, match="already"):
        write_demonstrations(expert, NAME, 1)
    with pytest.raises(TypeError, match="expected arrays"):
        write_demonstrations(PPO(parts_world()), "parts/x-v0", 1)
    monkeypatch.setattr("nets.extras.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"dreamgym\[minari\]"):
        write_demonstrations(expert, "lake/other-v0", 1)


def parts_world():
    class Parts(gym.Env):
        observation_space = gym.spaces.Dict({"a": Discrete(2)})
        action_space = Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return {"a": 0}, {}

        def step(self, action):
            return {"a": 1}, 0.0, True, False, {}

    gym.register("Parts-v0", Parts)
    return "Parts-v0"


@pytest.mark.parametrize("wrong", ["nan", "action"])
def test_numbers_that_are_in_no_space_are_refused(expert, wrong):
    seen, done = np.zeros((4, 2), np.float32), np.zeros(3, np.int64)
    if wrong == "nan":
        seen[1, 0] = np.nan
    else:
        done[2] = 9
    ends = [False, False, True]
    episode = minari.data_collector.EpisodeBuffer(
        observations=seen,
        actions=done,
        rewards=[0.0] * 3,
        terminations=ends,
        truncations=[False] * 3,
        infos={},
    )
    spaces = Box(-np.inf, np.inf, (2,)), Discrete(8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Minari would rather know its author
        minari.create_dataset_from_buffers(
            f"wrong/{wrong}-v0", [episode], observation_space=spaces[0], action_space=spaces[1]
        )
    with pytest.raises(ValueError, match=f"episode 0 of wrong/{wrong}-v0"):
        read_demonstrations(f"wrong/{wrong}-v0", *spaces)


def described(folder, **changes):
    file = folder / "metadata.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def stored(folder, name, value):
    with h5py.File(folder / "main_data.hdf5", "a") as file:
        del file["episode_0"][name]
        if value is not None:
            file["episode_0"][name] = value


def inflated(folder):
    with h5py.File(folder / "main_data.hdf5", "a") as file:
        shape = {"shape": (2**26,), "chunks": (2**20,), "compression": "gzip"}
        file["episode_0"].create_dataset("more", dtype="f8", **shape)


def torn(folder):
    os.truncate(folder / "main_data.hdf5", 3000)


DAMAGE = {
    "a list": (lambda data: (data / "metadata.json").write_text("[]"), "is a list"),
    "depth": (lambda data: (data / "metadata.json").write_text("[" * 10**5), "no valid JSON|not"),
    "a form of others": (lambda data: described(data, data_format="x.y"), "stored as 'x.y'"),
    "claimed episodes": (lambda data: described(data, total_episodes=10**9), "1000000000 episodes"),
    "torn": (torn, "truncated"),
    "inflated": (inflated, r"are to have 536,\d+,\d+ bytes"),
    "a lost column": (lambda data: stored(data, "actions", None), "actions"),
    "a link": (
        lambda data: stored(data, "rewards", h5py.ExternalLink("x.hdf5", "/x")),
        "'rewards' leads elsewhere",
    ),
    "nan": (lambda data: stored(data, "rewards", np.full(3, np.nan)), "holds what is not"),
    "words": (lambda data: stored(data, "rewards", np.array([b"a"] * 3)), "holds what is not"),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_data_set_is_refused_by_name(expert, tmp_path, monkeypatch, damage, words):
    copytree(minari.storage.get_dataset_path(NAME), tmp_path / NAME)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    damage(tmp_path / NAME / "data")
    with pytest.raises(ValueError, match=f"{NAME}.*({words})"):
        read_demonstrations(NAME, expert.source.observation_space, expert.source.action_space)


def test_the_commands_write_and_learn(expert, tmp_path, capsys):
    expert.save(tmp_path / "expert.pt")
    name = "lake/shell-v0"
    assert export([str(tmp_path / "expert.pt"), "--demonstrations", name, "--episodes", "4"]) == 0
    assert f"--demonstrations {name}" in capsys.readouterr().out
    run = tmp_path / "clone"
    words = ["bc", LAKE, "--demonstrations", name, "--steps", "40", "--run", str(run)]
    assert train(words) == 0
    assert f"imitates {name}" in capsys.readouterr().out
    assert train(["bc", LAKE, "--demonstrations", "lake/none-v0"]) == USAGE_ERROR
    assert "minari download" in capsys.readouterr().err
