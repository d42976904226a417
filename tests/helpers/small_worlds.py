"""Worlds whose values are known, registered as Vectors-v0, Table-v0 and Salary-v0."""

import gymnasium as gym
import numpy as np


class Vectors(gym.Env):
    """Observations of noise, actions that begin at 4; a picture where asked."""

    metadata = {"render_modes": []}

    def __init__(self, picture=False, render_mode=None):
        if picture:
            self.observation_space = gym.spaces.Box(0, 255, (12, 14, 2), np.uint8)
        else:
            self.observation_space = gym.spaces.Box(-9.0, 9.0, (5,), np.float32)
        self.action_space = gym.spaces.Discrete(3, start=4)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(int(self.np_random.integers(2**31)))
        return self.observation_space.sample(), {}

    def step(self, action):
        assert action in (4, 5, 6)
        over = bool(self.np_random.random() < 0.1)
        return self.observation_space.sample(), float(action), over, False, {}


class Table(gym.Env):
    """Deterministic moves between five states; 4 ends the episode. Observations begin at 7."""

    metadata = {"render_modes": []}
    NEXT = np.array([[1, 2], [3, 0], [2, 4], [0, 4]])
    REWARD = np.array([[0.0, 0.5], [1.0, -1.0], [0.25, 2.0], [-0.5, 1.0]])
    DISCOUNT = 0.8

    def __init__(self, render_mode=None):
        self.observation_space = gym.spaces.Discrete(5, start=7)
        self.action_space = gym.spaces.Discrete(2, start=3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = int(self.np_random.integers(4))
        return self.state + 7, {}

    def step(self, action):
        reward = self.REWARD[self.state, action - 3]
        self.state = int(self.NEXT[self.state, action - 3])
        return self.state + 7, float(reward), self.state == 4, False, {}

    @classmethod
    def optimum(cls):
        """Q* `[4, 2]`, by value iteration."""
        value = np.zeros(5)
        for _ in range(200):
            q = cls.REWARD + cls.DISCOUNT * value[cls.NEXT]
            value[:4] = q.max(1)
        return q


class Salary(gym.Env):
    """One state, one action, reward 1 for ever; `lie`: the time limit is told as termination."""

    metadata = {"render_modes": []}

    def __init__(self, lie=False, render_mode=None):
        self.observation_space = gym.spaces.Box(1.0, 1.0, (1,), np.float32)
        self.action_space = gym.spaces.Discrete(1)
        self.lie = lie

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.now = 0
        return np.ones(1, np.float32), {}

    def step(self, action):
        self.now += 1
        over = self.now == 10
        return np.ones(1, np.float32), 1.0, over and self.lie, over and not self.lie, {}


gym.register("Vectors-v0", entry_point=Vectors, disable_env_checker=True)
gym.register("Table-v0", entry_point=Table, max_episode_steps=12, disable_env_checker=True)
gym.register("Salary-v0", entry_point=Salary, disable_env_checker=True)
