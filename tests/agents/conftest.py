"""Worlds whose every number is known, and an agent that only writes down what it is shown."""

from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import pytest

from agents.agent import Agent
from nets.settings import Settings


class Ledger(gym.Env):
    """Observation [copy, episode, step, last action]; everything else follows from these.

    Reward = 100 · copy + 10 · episode + step + action / 4. Episode e of copy c has
    3 + (c + 2e) mod 4 steps; it is truncated where c + e is odd, terminated where it is even.
    """

    metadata = {"render_modes": []}

    def __init__(self, render_mode=None, reuse_arrays=False):
        self.observation_space = gym.spaces.Box(-1.0, 1e4, (4,), np.float32)
        self.action_space = gym.spaces.Discrete(3)
        self.reuse_arrays = reuse_arrays
        self._array = np.zeros(4, np.float32)
        self.copy = self.episode = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.copy, self.episode = seed % 8, 0
        else:
            self.episode += 1
        self.now, self.action = 0, -1
        return self._observation(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        reward = 100.0 * self.copy + 10.0 * self.episode + self.now + action / 4
        self.now, self.action = self.now + 1, int(action)
        over = self.now == length(self.copy, self.episode)
        odd = (self.copy + self.episode) % 2 == 1
        return self._observation(), reward, over and not odd, over and odd, {}

    def _observation(self):
        values = (self.copy, self.episode, self.now, self.action)
        if self.reuse_arrays:
            self._array[:] = values
            return self._array
        return np.array(values, np.float32)


def length(copy, episode):
    return 3 + (copy + 2 * episode) % 4


class Faulty(gym.Env):
    """Walks along 0.0, 0.1, ...; at step `when` of the episode it returns something wrong."""

    metadata = {"render_modes": []}

    def __init__(self, fault="nothing", when=5, limit=20, render_mode=None):
        self.observation_space = gym.spaces.Box(-1.0, 10.0, (2,), np.float32)
        self.action_space = gym.spaces.Discrete(2)
        self.fault, self.when, self.limit = fault, when, limit

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.now = 0
        wrong = self.fault == "reset"
        return np.full(2, np.nan if wrong else 0.0, np.float32), {}

    def step(self, action):
        self.now += 1
        observation, reward = np.full(2, self.now / 10, np.float32), 1.0
        if self.now == self.when:
            match self.fault:
                case "nan reward":
                    reward = float("nan")
                case "infinite reward":
                    reward = float("-inf")
                case "nan observation":
                    observation[1] = np.nan
                case "infinite observation":
                    observation[0] = np.inf
                case "outside":
                    observation[1] = 10.5
                case "shape":
                    observation = np.zeros(1, np.float32)
        return observation, reward, False, self.now >= self.limit, {}


class Reliable(Faulty):
    """Faulty without a fault, with integer flags and rewards."""

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, int(reward), int(terminated), int(truncated), info


for name, world in (("Ledger-v0", Ledger), ("Faulty-v0", Faulty), ("Reliable-v0", Reliable)):
    gym.register(name, entry_point=world, disable_env_checker=True)


@dataclass(frozen=True)
class ScribeConfig(Settings):
    discount: float = 0.9


class Scribe(Agent):
    """Acts at random, and keeps every transition, episode start and action."""

    name = "scribe"
    config_type = ScribeConfig

    def __init__(self, env, config=None, **settings):
        super().__init__(env, config, **settings)
        self.transitions, self.starts, self.seen = [], [], []

    def act(self, observation, episode_start):
        self.starts.append(episode_start.copy())
        action = self.rng.integers(self.action_space.n, size=len(observation))
        self.seen.append(observation.copy())
        return action + self.action_space.start, {"mark": np.arange(len(observation))}

    def observe(self, transition):
        self.transitions.append(transition)
        return {"transitions": len(self.transitions)}

    def state_dict(self):
        return {"transitions": len(self.transitions)}

    def load_state_dict(self, state):
        self.transitions = [None] * state["transitions"]

    def choose(self, observation, state, episode_start, deterministic):
        count = len(observation)
        if deterministic:
            return np.full(count, self.action_space.start), state
        return self.rng.integers(self.action_space.n, size=count) + self.action_space.start, state


@pytest.fixture
def scribe():
    return Scribe


@pytest.fixture
def ledger():
    return Ledger


@pytest.fixture
def ledger_length():
    return length
