"""Objects are made anew only where nothing tells a fresh one from them."""

from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import SyncVectorEnv

from agents.environments.recipe import Unrepeatable, recipe
from agents.environments.source import EnvSource
from agents.environments.workers import Processes


def pole(**settings):
    return gym.make("CartPole-v1", **settings)


def play(env, steps=60):
    """Leave an episode open, after some that ended."""
    env.reset(seed=3)
    env.action_space.seed(3)
    for _ in range(steps):
        *_, terminated, truncated, _ = env.step(env.action_space.sample())
        if isinstance(env, gym.Env) and (terminated or truncated):
            env.reset()
    return env


ALIKE = {
    "classic": pole,
    "arguments": lambda: gym.make("Pendulum-v1", g=3.0),
    "another map": lambda: gym.make("FrozenLake-v1", desc=["SF", "FG"]),
    "table": lambda: gym.make("CliffWalking-v1"),
    "ours": lambda: gym.make("envs:dreamgym/Lake-v0"),
    "ours, drawn": lambda: gym.make("envs:dreamgym/Snake-v0", render_mode="rgb_array"),
    "without a limit": lambda: pole(max_episode_steps=-1),
    "limit": lambda: wrappers.TimeLimit(pole(), 50),
    "limit inside": lambda: wrappers.ClipReward(wrappers.TimeLimit(pole(), 9), 0.0, 0.5),
    "flat": lambda: wrappers.FlattenObservation(gym.make("Pendulum-v1")),
    "stack": lambda: wrappers.FrameStackObservation(pole(), 3),
    "function": lambda: wrappers.TransformReward(pole(), lambda reward: 2 * reward),
    "pictures": lambda: wrappers.AddRenderObservation(
        gym.make("envs:dreamgym/Catch-v0", render_mode="rgb_array")
    ),
    "native vector": lambda: gym.make_vec("CartPole-v1", 3),
    "our vector": lambda: gym.make_vec("envs:dreamgym/Lake-v0", 3),
    "synchronous": lambda: gym.make_vec("CartPole-v1", 3, vectorization_mode="sync"),
}


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
@pytest.mark.parametrize("make", ALIKE.values(), ids=ALIKE.keys())
def test_what_a_fresh_one_equals_is_made_anew(make, used):
    env = play(make()) if used else make()
    source = EnvSource.of(env)
    assert source.instance is None
    fresh = source.stepper()
    assert type(fresh.env) is type(env)
    if isinstance(env, gym.Env):
        assert str(fresh.env) == str(env)
    ours, _ = env.reset(seed=5)
    theirs = fresh.reset(5)
    np.testing.assert_array_equal(theirs, np.reshape(ours, theirs.shape))
    fresh.close()
    env.close()


def changed(make, change):
    env = make()
    change(env)
    return env


class Scaled(gym.RewardWrapper, RecordConstructorArgs):
    """Records less than it was given."""

    def __init__(self, env, scale=1.0):
        RecordConstructorArgs.__init__(self)
        gym.RewardWrapper.__init__(self, env)
        self.scale = scale

    def reward(self, reward):
        return self.scale * reward


class Curriculum(gym.Wrapper, RecordConstructorArgs):
    """Becomes harder from episode to episode."""

    def __init__(self, env):
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        self.level = 0

    def reset(self, **settings):
        self.level += 1
        return self.env.reset(**settings)


class Random(gym.Env):
    """Is another one each time that it is made."""

    observation_space = gym.spaces.Box(0, 1, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)
    metadata = {"render_modes": []}
    made = 0

    def __init__(self, listener=None):
        Random.made += 1
        self.maze = Random.made

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        return np.zeros(1, np.float32), 0.0, False, False, {}


@pytest.fixture(autouse=True)
def random_world():
    gym.register("Random-v0", entry_point=Random, disable_env_checker=True)


@dataclass
class Simulator:
    speed: float = 1.0


def hurried(env):
    env.unwrapped.step = lambda action: None


UNLIKE = {
    "number": (
        lambda: changed(pole, lambda env: setattr(env.unwrapped, "gravity", 100.0)),
        r"CartPoleEnv.gravity is 100.0, not 9.8",
    ),
    "after play": (
        lambda: changed(lambda: play(pole()), lambda e: setattr(e.unwrapped, "length", 2.0)),
        r"\(CartPoleEnv.length is 2.0, not 0.5\)",
    ),
    "limit": (
        lambda: changed(pole, lambda env: setattr(env, "_max_episode_steps", 9)),
        r"TimeLimit._max_episode_steps is 9, not 500",
    ),
    "method": (lambda: changed(pole, hurried), r"CartPoleEnv.step is <function .*, not nothing"),
    "of the dynamics": (
        lambda: changed(
            lambda: gym.make("envs:dreamgym/Lake-v0"),
            lambda env: setattr(env.unwrapped.dynamics, "moves", (1,)),
        ),
        r"dynamics.moves is \(1,\), not \(0, 1, 2, 3\)",
    ),
    "table": (
        lambda: changed(
            lambda: gym.make("FrozenLake-v1"),
            lambda env: env.unwrapped.P[0].update({0: [(1.0, 0, 5.0, False)]}),
        ),
        r"FrozenLakeEnv.P\[0\]\[0\] is \[\(1.0, 0, 5.0, False\)\], not",
    ),
    "unrecorded argument": (lambda: Scaled(pole(), 3.0), r"Scaled.scale is 3.0, not 1.0"),
    "statistics": (lambda: Curriculum(pole()), r"Curriculum.level lasts from episode to episode"),
    "made at random": (lambda: gym.make("Random-v0"), r"Random.maze is \d+, not \d+"),
    "shared argument": (
        lambda: gym.make("Random-v0", listener=Simulator()),
        r"listener of Random-v0 is an object: Simulator\(speed=1.0\)",
    ),
    "records": (
        lambda: wrappers.RecordEpisodeStatistics(pole()),
        r"RecordEpisodeStatistics records what only the given object shows",
    ),
    "member of a vector": (
        lambda: changed(
            lambda: gym.make_vec("CartPole-v1", 3, vectorization_mode="sync"),
            lambda env: setattr(env.envs[1].unwrapped, "gravity", 1.0),
        ),
        r"CartPoleEnv.gravity is 1.0, not 9.8",
    ),
    "vector": (
        lambda: changed(
            lambda: gym.make_vec("CartPole-v1", 3), lambda env: setattr(env, "gravity", 1.0)
        ),
        r"CartPoleVectorEnv.gravity is 1.0, not 9.8",
    ),
}


@pytest.mark.parametrize(("make", "told"), UNLIKE.values(), ids=UNLIKE.keys())
def test_what_differs_from_a_fresh_one_is_used_as_it_is_and_told(make, told):
    env = make()
    with pytest.warns(UserWarning, match=told) as caught:
        source = EnvSource.of(env)
    assert "nor exactly resumable" in str(caught[0].message)
    assert source.instance is env
    assert source.stepper().env is env
    assert source.describe()["id"] is None


def test_an_environment_that_cannot_be_made_twice_is_used_as_it_is():
    class Port(Random):
        def __init__(self):
            if Random.made:
                raise OSError("the port is in use")
            super().__init__()

    Random.made = 0
    gym.register("Port-v0", entry_point=Port, disable_env_checker=True)
    env = gym.make("Port-v0")
    with pytest.raises(Unrepeatable, match=r"another one fails: OSError: .*the port is in use"):
        recipe(env)


def test_records_are_kept_in_the_object_that_was_given(scribe):
    env = wrappers.RecordEpisodeStatistics(gym.make("Ledger-v0"))
    with pytest.warns(UserWarning, match="cannot be made anew"):
        scribe(env).learn(40, progress=False)
    assert len(env.return_queue) > 5


@pytest.mark.parametrize(
    "make",
    [
        lambda: wrappers.NormalizeObservation(pole()),
        lambda: wrappers.TimeLimit(wrappers.NormalizeReward(pole()), 9),
        lambda: wrappers.vector.NormalizeObservation(gym.make_vec("CartPole-v1", 2)),
        lambda: SyncVectorEnv([lambda: wrappers.NormalizeReward(pole())] * 2),
    ],
)
def test_statistics_that_no_checkpoint_holds_are_refused(make):
    with pytest.raises(ValueError, match=r"leave it out, and set normalize_observation or"):
        EnvSource.of(make())


def test_presets_cannot_ask_for_such_statistics_either():
    with pytest.raises(ValueError, match="leave it out, and set normalize_observation or"):
        EnvSource.of("CartPole-v1").adapted({}, {"NormalizeObservation": {}})


def test_processes_of_their_own_are_made_anew_as_such():
    env = gym.make_vec("CartPole-v1", 2, vectorization_mode="async")
    env.reset(seed=0)
    env.step(np.array([0, 1]))
    source = EnvSource.of(env)
    assert source.vectorization == "async"
    assert EnvSource.restore(source.describe()).vectorization == "async"
    stepper = source.stepper()
    assert type(stepper.env) is Processes
    stepper.close()
    env.set_attr("gravity", 1.0)
    with pytest.raises(Unrepeatable, match=r"CartPoleEnv.gravity is 1.0, not 9.8"):
        recipe(env)
    env.close()


def test_a_vector_form_that_ends_episodes_is_no_stand_in_for_one_that_does_not():
    stepper = EnvSource.of(pole(max_episode_steps=-1), 2).stepper()
    assert type(stepper.env) is SyncVectorEnv
    stepper.close()


def test_the_shortest_limit_counts():
    source = EnvSource.of(wrappers.TimeLimit(wrappers.TimeLimit(pole(), 20), 600))
    assert source.max_episode_steps == 20
    assert EnvSource.restore(source.describe()).max_episode_steps == 20


def test_a_spec_under_anothers_id_is_not_written_down():
    spec = gym.spec("CartPole-v1")
    spec = gym.envs.registration.EnvSpec(spec.id, entry_point=Random)
    assert EnvSource(spec).describe()["id"] is None
