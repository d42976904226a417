"""Where the environments of an agent come from: what is made anew, adapted, closed and refused."""

import json
from copy import deepcopy
from multiprocessing import Pipe

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.classic_control import CartPoleEnv
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.vec_env import DummyVecEnv

from agents.environments.ids import find_spec
from agents.environments.source import EnvSource
from agents.environments.stepping import SingleStepper, VectorStepper
from nets.runs.checkpoint import CheckpointError


@pytest.mark.parametrize(
    ("env_id", "message"),
    [
        ("CartPole-v", "CartPole"),
        ("CartPoll-v1", "CartPole"),
        ("dreamgym/Clif-v0", "Cliff"),
        ("no_such_module:World-v0", "cannot import 'no_such_module', which should register"),
        (":CartPole-v1", "environment is ':CartPole-v1': expected Name-v0, namespace/Name-v0 or m"),
        ("envs:", "environment is 'envs:': expected Name-v0, namespace/Name-v0 or module:Name-v0"),
    ],
)
def test_unknown_ids_name_the_nearest(env_id, message):
    with pytest.raises(gym.error.Error, match=message):
        EnvSource.of(env_id)


def test_specs_are_copies():
    find_spec("CartPole-v1").kwargs["poison"] = 1
    assert "poison" not in find_spec("CartPole-v1").kwargs


def test_pictures_are_drawn_in_copies_and_windows_in_the_object_that_has_one():
    source = EnvSource.of(gym.make("CartPole-v1", render_mode="rgb_array"))
    assert source.make().render_mode == "rgb_array"
    window = gym.make("CartPole-v1", render_mode="human")
    with pytest.warns(UserWarning, match=r"cannot be made anew \(it is shown in a window\)"):
        assert EnvSource.of(window).instance is window


# Objects ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [None, "sync"])
def test_a_vector_environment_with_a_spec_is_made_anew(mode):
    env = gym.make_vec("CartPole-v1", 3, vectorization_mode=mode)
    source = EnvSource.of(env)
    assert (source.num_envs, source.instance, source.max_episode_steps) == (3, None, 500)
    stepper = source.stepper()
    assert stepper.reset(0).shape == (3, 4)
    assert source.observation_space == env.single_observation_space
    stepper.close()
    env.close()


def test_the_vectors_settings_survive():
    env = gym.make_vec("dreamgym/Lake-v0", 3, map_name="8x8", is_slippery=False)
    source = EnvSource.of(env)
    assert source.describe()["kwargs"] == {"map_name": "8x8", "is_slippery": False}
    assert source.observation_space.n == 64
    assert source.max_episode_steps == 100
    env.close()


class Shifted(gym.ObservationWrapper):
    """A wrapper that keeps no record of its arguments."""

    def observation(self, observation):
        return observation + 1


UNREPEATABLE = {
    "no spec": lambda ledger: ledger(),
    "vector without a spec": lambda ledger: SyncVectorEnv([ledger] * 2),
    "wrapper without a record": lambda ledger: Shifted(gym.make("Ledger-v0")),
    "vector wrapper": lambda ledger: gym.wrappers.vector.ClipReward(
        gym.make_vec("Ledger-v0", 2), 0.0, 1.0
    ),
    "wrapped members": lambda ledger: gym.make_vec(
        "Ledger-v0", 2, wrappers=[gym.wrappers.FlattenObservation]
    ),
}


@pytest.mark.parametrize("make", UNREPEATABLE.values(), ids=UNREPEATABLE.keys())
def test_objects_that_cannot_be_made_anew_are_used_as_they_are_with_a_warning(make, ledger):
    env = make(ledger)
    with pytest.warns(UserWarning, match=r"cannot be made anew.*nor exactly resumable"):
        source = EnvSource.of(env)
    assert source.instance is env
    vector = isinstance(env, gym.vector.VectorEnv)
    assert source.num_envs == (2 if vector else None)
    stepper = source.stepper()
    assert stepper.env is env
    assert isinstance(stepper, VectorStepper if vector else SingleStepper)
    assert source.describe()["id"] is None
    with pytest.raises(ValueError, match="pass env="):
        EnvSource.restore(source.describe())
    stepper.close()
    assert env.reset(seed=0)[0].shape == ((2, 4) if vector else (4,))  # still open


def test_the_warning_points_at_the_callers_line(ledger, scribe):
    with pytest.warns(UserWarning, match="cannot be made anew") as caught:
        scribe(ledger())
    assert [str(warning.filename).rpartition("/")[2] for warning in caught] == ["conftest.py"]


def test_arguments_that_no_file_can_hold_are_not_described():
    env = gym.make("Ledger-v0")
    env = gym.wrappers.TransformObservation(env, lambda o: abs(o) * 2, env.observation_space)
    source = EnvSource.of(env)
    assert source.instance is None  # in this process it can be made
    stepper = source.stepper()
    assert stepper.reset(3).tolist() == [[6, 0, 0, 2]]
    assert source.describe()["id"] is None


def test_a_file_cannot_call_anything_but_a_wrapper():
    description = EnvSource.of("CartPole-v1").describe()
    for entry_point in ("os:system", "builtins:print", "gymnasium:make"):
        wrappers = [{"entry_point": entry_point, "kwargs": {}}]
        with pytest.raises(CheckpointError, match=f"{entry_point} is not a wrapper"):
            EnvSource.restore(description | {"wrappers": wrappers}, trust=True)


def test_a_source_is_adapted_by_arguments_and_wrappers_the_innermost_first():
    plain = EnvSource.of("dreamgym/Catch-v0", 2)
    wrappers = {"FrameStackObservation": {"stack_size": 3}, "FlattenObservation": {}}
    source = plain.adapted({"obs": "board"}, wrappers)
    assert source.observation_space.shape == (3 * 10 * 5,)
    assert plain.observation_space.shape == (44, 44, 1)
    assert plain.adapted({}, {}) is plain
    restored = EnvSource.restore(json.loads(json.dumps(source.describe())))
    assert str(restored.make()).startswith("<FlattenObservation<FrameStackObservation<")
    stepper = restored.stepper()
    first = stepper.reset(0)
    assert first.shape == (2, 150)
    step = stepper.step(np.ones(2, int))
    assert (step.observation[:, :100] == first[:, 50:]).all()  # the oldest board is forgotten
    assert (step.observation[:, 100:] != first[:, 100:]).any()
    stepper.close()


def test_only_wrappers_of_gymnasium_adapt_a_source(ledger):
    source = EnvSource.of("CartPole-v1")
    for name in ("FrameStack", "vector"):
        with pytest.raises(ValueError, match=f"gymnasium.wrappers:{name} is not a wrapper"):
            source.adapted({}, {name: {}})
    with pytest.warns(UserWarning, match="cannot be made anew"):
        live = EnvSource.of(ledger())
    with pytest.raises(ValueError, match="has no spec, so it cannot be made otherwise"):
        live.adapted({"size": 3}, {})


def test_num_envs_must_not_contradict_the_object(ledger):
    vector = gym.make_vec("CartPole-v1", 3)
    with pytest.raises(ValueError, match=r"num_envs is 2, but .* is 3 environments"):
        EnvSource.of(vector, 2)
    assert EnvSource.of(vector, 3).num_envs == 3
    with pytest.raises(ValueError, match=r"num_envs is 2, but .* is 1 environments"):
        EnvSource.of(ledger(), 2)
    assert EnvSource.of(EnvSource.of("CartPole-v1"), 5).num_envs == 5
    assert EnvSource.of(gym.make("CartPole-v1"), 5).num_envs == 5


def test_a_file_cannot_replace_the_code_of_a_world(tmp_path):
    """Our worlds are registered with the name of their class as an argument."""
    victim = tmp_path / "victim"
    description = EnvSource.of("dreamgym/Lake-v0").describe()
    assert "dynamics" not in description["kwargs"]
    evil = {"dynamics": "os:system", "command": f"touch {victim}"}
    with pytest.raises(CheckpointError, match=r"names code, which a file cannot replace"):
        EnvSource.restore(description | {"kwargs": evil}).make()
    assert not victim.exists()


# Stepping ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env_id", "num_envs", "kind", "mode"),
    [
        ("CartPole-v1", None, SingleStepper, None),
        ("CartPole-v1", 1, SingleStepper, None),
        ("CartPole-v1", 4, VectorStepper, AutoresetMode.NEXT_STEP),
        ("Acrobot-v1", 2, VectorStepper, AutoresetMode.SAME_STEP),
        ("dreamgym/CartPole-v0", 4, VectorStepper, AutoresetMode.SAME_STEP),
        ("dreamgym/Lake-v0", 4, VectorStepper, AutoresetMode.SAME_STEP),
    ],
)
def test_native_vectors_are_preferred_in_the_same_step_mode(env_id, num_envs, kind, mode):
    stepper = EnvSource.of(env_id, num_envs).stepper()
    assert type(stepper) is kind
    if mode is not None:
        assert stepper.env.metadata["autoreset_mode"] is mode
        assert isinstance(stepper.env, SyncVectorEnv) == (env_id == "Acrobot-v1")
    stepper.close()


@pytest.mark.parametrize("num_envs", [None, 3])
def test_a_seeded_reset_seeds_worlds_and_action_spaces(num_envs):
    stepper = EnvSource.of("CartPole-v1", num_envs).stepper()

    def begin(seed):
        observation = stepper.reset(seed)
        return observation, [stepper.env.action_space.sample() for _ in range(30)]

    (first, actions), (other, others), (again, repeated) = begin(11), begin(12), begin(11)
    assert not np.array_equal(first, other)
    assert not np.array_equal(actions, others)
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(repeated, actions)
    stepper.close()


@pytest.mark.parametrize("num_envs", [None, 2])
def test_what_the_source_made_is_closed_and_what_was_given_is_not(ledger, num_envs):
    closed = []

    class Door(ledger):
        def close(self):
            closed.append(self)

    gym.register("Door-v0", entry_point=Door)
    EnvSource.of("Door-v0", num_envs).stepper().close()
    assert len(closed) == (num_envs or 1)
    given = Door() if num_envs is None else SyncVectorEnv([Door] * num_envs)
    with pytest.warns(UserWarning, match="cannot be made anew"):
        EnvSource.of(given).stepper().close()
    assert len(closed) == (num_envs or 1)


def test_our_vector_worlds_give_what_their_scalars_give():
    """The final observation of an episode, too: the vector resets in the same step."""
    rng, vector = np.random.default_rng(0), EnvSource.of("dreamgym/Lake-v0", 3).stepper()
    singles = [EnvSource.of("dreamgym/Lake-v0").stepper() for _ in range(3)]
    observation = vector.reset(4)
    assert [s.reset(4 + k)[0] for k, s in enumerate(singles)] == observation.tolist()
    ended = 0
    for _ in range(200):
        action = rng.integers(4, size=3)
        step = vector.step(action)
        alone = [s.step(action[k : k + 1]) for k, s in enumerate(singles)]
        for name in ("observation", "reward", "terminated", "truncated", "next_observation"):
            expected = [getattr(s, name)[0] for s in alone]
            assert getattr(step, name).tolist() == expected, name
        ended += step.terminated.sum()
    assert ended > 20


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "the environment is None: expected an id, an environment or a vector environment$"),
        (
            ["CartPole-v1"] * 2,
            r"the environment is \['CartPole-v1', 'CartPole-v1'\]: expected an id",
        ),
        (lambda: gym.make("CartPole-v1"), "call it, and hand over what it makes$"),
        (CartPoleEnv, "call it, and hand over what it makes$"),
        (
            DummyVecEnv([CartPoleEnv]),
            r"of stable-baselines3's, Gymnasium's make_vec\(id, num_envs=N",
        ),
    ],
)
def test_what_is_no_environment_is_refused(given, words):
    with pytest.raises(TypeError, match=words):
        EnvSource.of(given)


def test_an_object_without_spaces_is_told_what_it_lacks():
    bare = type("Bare", (gym.Env,), {})()
    with pytest.warns(UserWarning, match="anew"), pytest.raises(TypeError, match="no observation_"):
        EnvSource.of(bare).observation_space  # noqa: B018


def test_what_talks_to_other_processes_is_not_copied_and_lives_on(ledger):
    """A copy of a pipe would be its number, which closes the original's."""
    env = ledger()
    env.here, env.there = Pipe()
    with pytest.warns(UserWarning, match="anew"):
        source = EnvSource.of(env)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"cannot be copied \(it is connected to other proc"):
            source.apart()
        with pytest.raises(TypeError, match="connected to other processes"):
            deepcopy(source)
    env.here.send("still open")
    assert env.there.recv() == "still open"


@pytest.mark.parametrize("name", ["", "foo bar!", "mine:", "é\ud800"])
def test_a_recorded_name_that_is_none_is_told_of_its_file(name):
    described = EnvSource.of("CartPole-v1").describe() | {"id": name}
    with pytest.raises(
        CheckpointError, match=r"config\.json does not fit: its environment is called"
    ):
        EnvSource.restore(described, "config.json")
