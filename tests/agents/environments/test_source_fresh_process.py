"""A world that was described is made again in a process that has never seen it."""

import json

import pytest
from fresh_process import Nursery

WORLD = """
import gymnasium as gym
import numpy as np


class Line(gym.Env):
    metadata = {"render_modes": []}

    def __init__(self, size=4, render_mode=None):
        self.observation_space = gym.spaces.Box(0, size, (size,), np.float32)
        self.action_space = gym.spaces.Discrete(2, start=1)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(self.observation_space.shape, np.float32), {}

    def step(self, action):
        return np.ones(self.observation_space.shape, np.float32), 1.0, False, False, {}


class Doubled(gym.ObservationWrapper, gym.utils.RecordConstructorArgs):
    def __init__(self, env, factor=2):
        gym.utils.RecordConstructorArgs.__init__(self, factor=factor)
        super().__init__(env)
        space = env.observation_space
        self.factor = factor
        low, high = space.low * np.float32(factor), space.high * np.float32(factor)
        self.observation_space = gym.spaces.Box(low, high)

    def observation(self, observation):
        return observation * self.factor
"""
WORLD_OF_OURS = """
from typing import NamedTuple

from gymnasium import spaces

from envs import register_world


class State(NamedTuple):
    place: int


class Steps:
    observation_space, action_space = spaces.Discrete(11), spaces.Discrete(2)

    def initial(self, xp, random):
        return State(random.below(2))

    def step(self, xp, state, action, random):
        place = xp.clip(state.place + action, 0, 10)
        return State(place), xp.where(place == 10, 1.0, 0.0), place == 10

    def observe(self, xp, state):
        return state.place


register_world("mine/Steps-v0", "climbing:Steps", max_episode_steps=30)
"""
REGISTER = """
import gymnasium as gym

gym.register("Line-v0", entry_point="{}:Line", max_episode_steps=7)
"""


@pytest.fixture(scope="module")
def nursery():
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def in_fresh_process(nursery, tmp_path):
    """Run code where the modules `lines` (registers at its top) and `shapes.register` exist."""
    (tmp_path / "lines.py").write_text(WORLD + REGISTER.format("lines"))
    (tmp_path / "climbing.py").write_text(WORLD_OF_OURS)
    package = tmp_path / "shapes"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "worlds.py").write_text(WORLD)
    (package / "register.py").write_text(REGISTER.format("shapes.worlds"))

    return lambda code: nursery.printed_by(code, tmp_path)


@pytest.mark.parametrize(
    ("make", "env_id", "shape"),
    [
        ("'lines:Line-v0'", "lines:Line-v0", 4),
        ("'shapes.register:Line-v0'", "shapes.register:Line-v0", 4),
        ("gym.make('lines:Line-v0', size=3)", "lines:Line-v0", 3),
        ("gym.make_vec('lines:Line-v0', 2, size=3)", "lines:Line-v0", 3),
        ("gym.make('CartPole-v1')", "CartPole-v1", 4),
        ("'dreamgym/Cliff-v0'", "envs:dreamgym/Cliff-v0", None),
        ("'envs:dreamgym/Cliff-v0'", "envs:dreamgym/Cliff-v0", None),
        ("gym.make('climbing:mine/Steps-v0')", "climbing:mine/Steps-v0", None),
    ],
)
def test_a_fresh_process_makes_the_described_world_again(in_fresh_process, make, env_id, shape):
    describe = f"""
import json, gymnasium as gym
from agents.environments.source import EnvSource
print(json.dumps(EnvSource.of({make}).describe()))
"""
    description = json.loads(in_fresh_process(describe))
    assert description["id"] == env_id
    restore = f"""
from agents.environments.source import EnvSource
source = EnvSource.restore({description!r}, trust=True)
print(source.observation_space.shape, source.make().spec.id, source.describe() == {description!r})
"""
    printed = in_fresh_process(restore)
    expected = () if shape is None else (shape,)
    assert printed == f"{expected} {env_id.rpartition(':')[2]} True"


def test_settings_limits_and_wrappers_survive_in_a_fresh_process(in_fresh_process):
    describe = """
import json, gymnasium as gym
from agents.environments.source import EnvSource
import lines
env = gym.make("lines:Line-v0", size=3, max_episode_steps=5)
env = gym.wrappers.FrameStackObservation(lines.Doubled(env, 4), 2)
print(json.dumps(EnvSource.of(env, 2).describe()))
"""
    description = json.loads(in_fresh_process(describe))
    restore = f"""
import numpy as np
from agents.environments.source import EnvSource
source = EnvSource.restore({description!r}, trust=True)
print(source.make(), source.num_envs, source.max_episode_steps)
stepper = source.stepper()
stepper.reset(0)
steps = [stepper.step(np.ones(2, int)) for _ in range(5)]
print([int(step.truncated.all()) for step in steps])
print(steps[0].observation[1].tolist())
"""
    made, truncated, observation = in_fresh_process(restore).splitlines()
    assert made.startswith("<FrameStackObservation<Doubled<TimeLimit<")
    assert made.endswith(" 2 5")
    assert truncated == "[0, 0, 0, 0, 1]"
    assert observation == "[[0.0, 0.0, 0.0], [4.0, 4.0, 4.0]]"


def test_importing_worlds_is_not_needed_for_our_own_ids(in_fresh_process):
    code = """
import sys
from agents.environments.source import EnvSource
assert "envs" not in sys.modules
print(EnvSource.of("dreamgym/Lake-v0").make().spec.id, "envs" in sys.modules)
"""
    assert in_fresh_process(code) == "dreamgym/Lake-v0 True"


@pytest.mark.parametrize(
    ("package", "env_id", "described", "arguments", "wrappers", "shape"),
    [
        ("minatar", "MinAtar/Breakout-v1", "envs.minatar:MinAtar/Breakout-v1", {}, {}, (10, 10, 4)),
        (
            "ale_py",
            "ALE/Pong-v5",
            "ale_py:ALE/Pong-v5",
            {"frameskip": 1},
            {"AtariPreprocessing": {}, "FrameStackObservation": {"stack_size": 4}},
            (4, 84, 84),
        ),
    ],
)
def test_neighbours_are_found_by_their_ids(
    in_fresh_process, package, env_id, described, arguments, wrappers, shape
):
    pytest.importorskip(package)
    if "AtariPreprocessing" in wrappers:
        pytest.importorskip("cv2")
    code = f"""
import json, warnings
warnings.simplefilter("ignore")
from agents.environments.source import EnvSource
print(json.dumps(EnvSource.of("{env_id}").adapted({arguments}, {wrappers}).describe()))
"""
    description = json.loads(in_fresh_process(code).splitlines()[-1])
    assert description["id"] == described
    code = f"""
import warnings
warnings.simplefilter("ignore")
from agents.environments.source import EnvSource
source = EnvSource.restore({description!r} | {{"num_envs": 2}})
stepper = source.stepper()
a, b = stepper.reset(3), stepper.reset(3)
print(a.shape, (a == b).all(), source.observation_space.shape)
"""
    assert in_fresh_process(code).splitlines()[-1] == f"{(2, *shape)} True {shape}"
