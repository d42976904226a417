"""Tables are planned and learned on only where they are known to be what is played."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv

from agents import QLearning, QLearningConfig, ValueIteration
from agents.environments.source import EnvSource
from agents.tabular.known import exact_model, known_model
from agents.tabular.model import NoModelError


class Costly(FrozenLakeEnv):
    """Pays less than its table says."""

    def step(self, action):
        observation, reward, *rest = super().step(action)
        return observation, reward - 0.1, *rest


class Windy(FrozenLakeEnv):
    """Slips more often than its table says."""

    def step(self, action):
        before, there = self.s, self.P[self.s][action][0][1]
        result = super().step(action)
        if result[0] != there:
            return result
        self.s = before
        return super().step(action)


class Elsewhere(FrozenLakeEnv):
    """Begins where its table says it does not."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.s = 1
        return 1, {}


class Announced(FrozenLakeEnv):
    """Steps by code of its own, but as its table says."""

    def step(self, action):
        return super().step(action)


class Hasty(gym.wrappers.TimeLimit):
    """Is no mere time limit."""

    def step(self, action):
        observation, reward, *rest = super().step(action)
        return observation, reward - 1, *rest


class Chain(gym.Env):
    """Goes right or stays, by a table of its own."""

    metadata = {"render_modes": []}
    observation_space = gym.spaces.Discrete(4)
    action_space = gym.spaces.Discrete(2)
    initial_state_distrib = np.array([1.0, 0, 0, 0])

    def __init__(self, promised=1.0):
        right = {s: (1.0, s + 1, promised * (s == 2), s == 2) for s in range(4)}
        right[3] = (1.0, 3, 0.0, True)
        self.P = {s: {0: [(1.0, s, 0.0, s == 3)], 1: [right[s]]} for s in range(4)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.s = 0
        return 0, {}

    def step(self, action):
        self.s += int(action)
        return self.s, float(self.s == 3), self.s == 3, False, {}


@pytest.fixture
def register():
    added = []

    def add(name, kind):
        gym.register(name, entry_point=kind, max_episode_steps=100)
        added.append(name)
        return EnvSource.of(name)

    yield add
    for name in added:
        del gym.registry[name]


FALSE = {
    "rewards": (Costly, r"action \d in state \d+ led to state \d+ with the reward -0.1 and no end"),
    "probabilities": (Windy, r"its outcomes have other probabilities \(\d+ deviations\)"),
    "beginnings": (Elsewhere, r"an episode began in state 1, where it says that none does"),
}


@pytest.mark.parametrize(("kind", "told"), FALSE.values(), ids=FALSE.keys())
def test_a_table_that_is_not_played_is_refused_by_planners_and_left_by_learners(
    register, kind, told
):
    source = register("False-v0", kind)
    with pytest.raises(NoModelError, match=f"False-v0 does not play its own table: {told}"):
        ValueIteration("False-v0").solve()
    assert exact_model(source) is None


def test_learners_learn_what_is_paid(register):
    register("Costly-v0", Costly)
    agent = QLearning("Costly-v0", QLearningConfig()).learn(500, progress=False)
    assert agent.q.min() < -0.05


@pytest.mark.parametrize("kind", [Announced, Chain])
def test_tables_of_others_are_used_once_they_were_played(register, kind):
    source = register("True-v0", kind)
    assert exact_model(source) is not None
    assert ValueIteration("True-v0").solve().iterations > 0


def test_a_subclass_with_another_map_needs_no_trial(register, monkeypatch):
    class Small(FrozenLakeEnv):
        def __init__(self, render_mode=None):
            super().__init__(render_mode, desc=["SF", "FG"])

    monkeypatch.setattr("agents.tabular.known.contradiction", None)
    assert known_model(register("Small-v0", Small)).num_states == 4
    for env_id in ("FrozenLake-v1", "CliffWalking-v1", "Taxi-v4", "envs:dreamgym/Lake-v0"):
        assert exact_model(EnvSource.of(env_id)) is not None


def test_options_that_a_table_does_not_describe_are_refused():
    env = gym.make("Taxi-v4", fickle_passenger=True)
    with pytest.raises(NoModelError, match="Taxi-v4 does not play its own table"):
        ValueIteration(env).solve()


def test_what_a_wrapper_changes_is_not_planned_for():
    env = gym.wrappers.TransformReward(gym.make("FrozenLake-v1"), lambda reward: 2 * reward)
    with pytest.raises(NoModelError, match="says nothing of TransformReward: leave the wrapper"):
        ValueIteration(env).solve()
    with pytest.raises(NoModelError, match="says nothing of Hasty"):
        ValueIteration(Hasty(gym.make("FrozenLake-v1"), 9)).solve()


def test_our_dynamics_are_trusted_as_far_as_they_are_ours():
    from envs.grids.worlds import Lake
    from envs.scalar import DynamicsEnv

    class Costly(Lake):
        def step(self, xp, state, action, random):
            following, reward, over = super().step(xp, state, action, random)
            return following, reward - 0.1, over

    with (
        pytest.warns(UserWarning, match="cannot be made anew"),
        pytest.raises(NoModelError, match="does not play its own table"),
    ):
        ValueIteration(DynamicsEnv(Costly())).solve()


def test_a_changed_table_of_a_live_object_is_planned_on():
    env = gym.make("FrozenLake-v1")
    env.unwrapped.P[0] = {a: [(1.0, 15, 7.0, True)] for a in range(4)}
    with pytest.warns(UserWarning, match=r"FrozenLakeEnv.P\[0\]"):
        agent = ValueIteration(env)
    assert agent.values[0] == pytest.approx(7.0)
