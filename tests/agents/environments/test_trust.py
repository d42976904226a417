"""What a recipe from a stranger may ask for."""

import re
import sys

import gymnasium as gym
import pytest

from agents.environments.source import EnvSource
from agents.environments.trust import WRAPPERS
from nets.runs.checkpoint import CheckpointError, UntrustedError

PLAIN = {"kwargs": {}, "max_episode_steps": None, "wrappers": [], "num_envs": 1}


def recipe(env_id="CartPole-v1", **parts):
    return PLAIN | {"id": env_id} | parts


def wrapped(entry_point, **settings):
    return recipe(wrappers=[{"entry_point": entry_point, "kwargs": settings}])


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """A module that can be imported, and leaves a trace when it is."""
    (tmp_path / "stranger.py").write_text(
        "import gymnasium as gym\n"
        "gym.register('Trap-v0', 'gymnasium.envs.toy_text:FrozenLakeEnv')\n"
        "class Cloak(gym.Wrapper): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "stranger"
    sys.modules.pop("stranger", None)
    gym.registry.pop("Trap-v0", None)


HARMLESS = [
    recipe("FrozenLake-v1", kwargs={"desc": ["SFF", "FHG"], "is_slippery": False}),
    recipe("FrozenLake-v1", kwargs={"map_name": "8x8"}),
    recipe("CartPole-v1", kwargs={"sutton_barto_reward": True}, num_envs=8),
    recipe("envs:dreamgym/Lake-v0", kwargs={"map_name": "8x8", "success_rate": 0.5}),
    recipe("dreamgym/Catch-v0", kwargs={"obs": "board"}),
    wrapped("gymnasium.wrappers:FrameStackObservation", stack_size=2, padding_type="zero"),
    wrapped("gymnasium.wrappers.stateful_observation:FrameStackObservation", stack_size=2),
]


@pytest.mark.parametrize("description", HARMLESS)
def test_known_worlds_with_plain_arguments_need_no_trust(description):
    source = EnvSource.restore(description)
    source.make().close()
    assert not source.needs_trust


ASKED = [
    (recipe("stranger:Trap-v0"), "the environment 'stranger:Trap-v0'"),
    (recipe("stranger:CartPole-v1"), "the environment 'stranger:CartPole-v1'"),
    (recipe("envs:stranger:Trap-v0"), "the environment 'envs:stranger:Trap-v0'"),
    (recipe("test.__main__:CartPole-v1"), "the environment 'test.__main__:CartPole-v1'"),
    (wrapped("stranger:Cloak"), "the wrapper 'stranger:Cloak'"),
    (wrapped("gymnasium.wrappers:RecordVideo", video_folder="v"), "wrappers:RecordVideo'"),
    (wrapped("stable_baselines3.common.monitor:Monitor", filename="m"), "monitor:Monitor'"),
    (wrapped("stranger:TimeLimit", max_episode_steps=3), "the wrapper 'stranger:TimeLimit'"),
    (wrapped("gymnasium.wrappers:vector"), "the wrapper 'gymnasium.wrappers:vector'"),
    (wrapped("gymnasium.wrappers:RecordEpisodeStatistics", stats_key="a/b"), "stats_key='a/b' of"),
    (recipe(kwargs={"log": "../results.csv"}), "log='../results.csv' of CartPole-v1"),
    (recipe(kwargs={"log": "results.csv"}), "log='results.csv' of CartPole-v1"),
    (recipe(kwargs={"deep": [{"a": "os:system"}]}), "deep=[{'a': 'os:system'}] of CartPole-v1"),
    (recipe("FrozenLake-v1", kwargs={"desc": ["F" * 40_000] * 2}), "desc=['FFF"),
    (recipe("FrozenLake-v1", kwargs={"desc": [[0] * 40_000] * 2}), "desc=[[0, 0"),
    (recipe(num_envs=10**9), "1,000,000,000 environments at once"),
    (
        recipe(
            "generative.latents:dreamgym/Latent-v0",
            kwargs={"env_id": "stranger:Trap-v0", "run": "r"},
        ),
        "the environment 'stranger:Trap-v0'",
    ),
    (
        recipe(
            "generative.latents:dreamgym/Latent-v0",
            kwargs={"env_id": "CartPole-v1", "run": "r", "env_kwargs": {"log": "a.csv"}},
        ),
        "log='a.csv' of CartPole-v1",
    ),
]


@pytest.mark.parametrize(("description", "asked"), ASKED, ids=[asked for _, asked in ASKED])
def test_what_else_is_asked_for_is_shown_and_refused(stranger, description, asked):
    with pytest.raises(UntrustedError, match=re.escape(asked)) as caught:
        EnvSource.restore(description, "gift.pt")
    assert str(caught.value).startswith("gift.pt asks for ")
    assert "add --trust (in Python trust=True)" in str(caught.value)
    assert stranger not in sys.modules


def test_all_that_is_asked_for_is_shown(stranger):
    description = recipe("stranger:Trap-v0") | {"wrappers": wrapped("stranger:Cloak")["wrappers"]}
    with pytest.raises(UntrustedError, match=r"'stranger:Trap-v0', the wrapper 'stranger:Cloak'"):
        EnvSource.restore(description)


def test_whoever_is_trusted_gets_what_he_asks_for(stranger):
    description = recipe("stranger:Trap-v0") | {"wrappers": wrapped("stranger:Cloak")["wrappers"]}
    source = EnvSource.restore(description, trust=True)
    assert str(source.make()).startswith("<Cloak<")
    assert source.needs_trust


def test_a_module_that_the_program_has_imported_is_trusted(stranger):
    """But a fresh process would not have."""
    __import__(stranger)
    source = EnvSource.restore(recipe("stranger:Trap-v0"))
    assert source.observation_space.n == 16
    assert source.needs_trust


def test_arguments_that_the_world_was_registered_with_are_no_requests():
    gym.register("Filed-v0", "gymnasium.envs.toy_text:FrozenLakeEnv", kwargs={"desc": ["S.", "/G"]})
    EnvSource.restore(recipe("Filed-v0", kwargs={"desc": ["S.", "/G"]}))
    with pytest.raises(UntrustedError, match=re.escape("desc=['S/', '.G'] of Filed-v0")):
        EnvSource.restore(recipe("Filed-v0", kwargs={"desc": ["S/", ".G"]}))


@pytest.mark.parametrize("name", sorted(WRAPPERS))
def test_the_wrappers_that_need_no_trust_are_gymnasiums(name):
    kind = getattr(gym.wrappers, name, None)  # an older Gymnasium has not all of them
    assert kind is None or issubclass(kind, gym.Wrapper)


@pytest.mark.parametrize(
    "damage",
    [
        {"id": 5},
        {"id": ["CartPole-v1"]},
        {"kwargs": []},
        {"kwargs": {"length": 3}, "wrappers": None},
        {"wrappers": [5]},
        {"wrappers": [{"entry_point": 5, "kwargs": {}}]},
        {"wrappers": [{"entry_point": "gymnasium.wrappers:TimeLimit", "kwargs": 5}]},
        {"num_envs": -1},
        {"num_envs": 1.5},
        {"num_envs": True},
        {"max_episode_steps": "x"},
        {"max_episode_steps": 0},
    ],
    ids=str,
)
def test_a_damaged_recipe_is_blamed_on_its_file(damage):
    with pytest.raises(CheckpointError, match=r"^gift\.pt does not fit: ") as caught:
        EnvSource.restore(recipe() | damage, "gift.pt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("description", [5, [], {}, {"id": "CartPole-v1"}], ids=str)
def test_what_is_no_recipe_is_blamed_on_its_file(description):
    with pytest.raises(CheckpointError, match=r"^gift\.pt does not fit: "):
        EnvSource.restore(description, "gift.pt")
