"""One way to step environments, single or side by side, whatever their autoreset mode."""

from typing import Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

Array = NDArray[Any]


class Step(NamedTuple):
    """What one step of N environments gave, whatever their autoreset mode."""

    observation: Array  # [N, *] to act on next
    reward: Array  # [N]
    terminated: Array  # [N] bool
    truncated: Array  # [N] bool
    next_observation: Array  # [N, *] what the action led to, also where an episode ended
    valid: Array  # [N] bool, False where the step only reset


class Stepper(Protocol):
    """N environments that are reset once and stepped for ever."""

    num_envs: int

    def reset(self, seed: int) -> Array:
        """Begin the first episodes; `[N, *observation]`."""

    def step(self, action: Array) -> Step:
        """Step all environments, beginning a new episode where one ended."""

    def close(self) -> None:
        """Release the environments."""


def all_valid(count: int) -> Array:
    """Return `valid` of `count` rows that all are transitions; every step may share it."""
    valid = np.ones(count, bool)
    valid.setflags(write=False)
    return valid


class SingleStepper:
    """One environment seen as a row of one; cheaper than a vector environment of one."""

    num_envs = 1

    def __init__(self, env: gym.Env, owned: bool = True) -> None:
        self.env = env
        self._owned = owned
        self._valid = all_valid(1)
        self._discrete = isinstance(env.action_space, gym.spaces.Discrete)

    def reset(self, seed: int) -> Array:
        """Reset with `seed`; `[1, *observation]`."""
        self.env.action_space.seed(seed)
        return np.array(self.env.reset(seed=seed)[0])[None]

    def step(self, action: Array) -> Step:
        """Step, and reset at once where the episode ended."""
        chosen = int(action[0]) if self._discrete else action[0]
        observation, reward, terminated, truncated, _ = self.env.step(chosen)
        after = here = np.array(observation)[None]  # a copy: some environments reuse their array
        if terminated or truncated:
            here = np.array(self.env.reset()[0])[None]
        flags = np.array([[terminated], [truncated]], bool)
        return Step(here, np.array([reward]), flags[0], flags[1], after, self._valid)

    def close(self) -> None:
        """Close the environment if the stepper made it."""
        if self._owned:
            self.env.close()


class VectorStepper:
    """A vector environment in SAME_STEP or NEXT_STEP autoreset mode."""

    def __init__(self, env: VectorEnv, owned: bool = True) -> None:
        mode = env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        if mode is AutoresetMode.DISABLED:
            message = "autoreset mode is DISABLED: expected SAME_STEP (best) or NEXT_STEP"
            raise ValueError(message)
        self.env, self.num_envs = env, env.num_envs
        self._owned = owned
        self._same_step = mode is AutoresetMode.SAME_STEP
        self._valid = self._all_valid = all_valid(env.num_envs)  # in the next step

    def reset(self, seed: int) -> Array:
        """Reset all environments, number k with `seed + k`; `[N, *observation]`."""
        self._valid = self._all_valid
        self.env.action_space.seed(seed)
        return self.env.reset(seed=seed)[0]

    def step(self, action: Array) -> Step:
        """Step; final observations are put where they belong, reset-only rows marked."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        over = terminated | truncated
        valid, self._valid = self._valid, self._all_valid
        after = observation
        if np.count_nonzero(over):  # in a third of the time of `any`
            if self._same_step:
                after = _put(observation, info["final_obs"], over.nonzero()[0])
            else:
                self._valid = ~over
        return Step(observation, reward, terminated, truncated, after, valid)

    def close(self) -> None:
        """Close the environments if the stepper made them."""
        if self._owned:
            self.env.close()


def _put(observation: Any, final: Any, rows: Array) -> Any:
    """Return a copy of `observation` that holds those of `final` at `rows`, tuples by column."""
    if isinstance(observation, tuple):
        columns = enumerate(observation)
        return tuple(_put(column, {k: final[k][j] for k in rows}, rows) for j, column in columns)
    after = observation.copy()
    for k in rows:
        after[k] = final[k]
    return after
