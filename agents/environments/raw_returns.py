"""What episodes return by the environment's own rewards, where wrappers change these.

A meter right around the environment adds up what it returns, and the totals travel in the info.
There is none, and it costs nothing, where no wrapper can change a reward.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv, VectorRewardWrapper, VectorWrapper

from .door import Array

KEY = "dreamgym_raw_return"
REWARDING = gym.RewardWrapper, VectorRewardWrapper
NORMALIZERS = {"NormalizeReward"}  # which are no such wrappers


def metered(env: gym.Env) -> gym.Env:
    """Return an environment whose infos tell its raw returns, if a wrapper may change rewards."""
    above = _innermost(env, gym.Wrapper)
    if above is not None and not isinstance(above, RewardMeter):
        above.env = RewardMeter(above.env)
    return env


def metered_vector(env: VectorEnv) -> VectorEnv:
    """Return a vector environment of which the same is true; processes of others stay as they are.

    Where wrappers stand around the vector and around its members, what the members return counts.
    """
    inner = env.unwrapped
    if isinstance(inner, SyncVectorEnv) and any(_innermost(e, gym.Wrapper) for e in inner.envs):
        for member in inner.envs:
            metered(member)
        return env
    above = _innermost(env, VectorWrapper)
    if above is not None and not isinstance(above, VectorRewardMeter):
        above.env = VectorRewardMeter(above.env)
    return env


def raw_return(info: Mapping[str, Any]) -> Array:
    """Return what the episode of one environment has returned so far, `[1]`; NaN: untold."""
    return np.array([info.get(KEY, np.nan)], np.float64)


def raw_returns(info: Mapping[str, Any], count: int) -> Array:
    """Return the same of N environments `[N]`, of episodes that ended in the step by their end."""
    now = np.asarray(info.get(KEY, np.full(count, np.nan)), np.float64)
    ended = info.get("final_info")
    if not isinstance(ended, Mapping) or KEY not in ended:
        return now
    return np.where(ended[f"_{KEY}"], np.asarray(ended[KEY], np.float64), now)


class RewardMeter(gym.Wrapper):
    """Adds up what an environment returns; in all else it passes for the environment."""

    def __init__(self, env: gym.Env) -> None:
        vars(self)["total"] = 0.0
        super().__init__(env)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset, and begin to count anew."""
        observation, info = self.env.reset(seed=seed, options=options)
        vars(self)["total"] = 0.0
        return observation, info | {KEY: 0.0}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, count, and tell."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        try:
            total = self.total + float(reward)
        except (TypeError, ValueError):  # a wrapper makes a number of it
            total = np.nan
        vars(self)["total"] = total
        return observation, reward, terminated, truncated, info | {KEY: total}

    @property
    def spec(self) -> Any:  # type: ignore[override]  # as Gymnasium's own wrappers do
        """The environment's, without a word of this."""
        return self.env.spec

    def __getattr__(self, name: str) -> Any:
        if name == "env":  # a copy under way
            raise AttributeError(name)
        return getattr(self.env, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "env" or "env" not in vars(self) or name in vars(self):
            vars(self)[name] = value
        else:
            setattr(self.env, name, value)

    def __str__(self) -> str:
        return str(self.env)


class VectorRewardMeter(VectorWrapper):
    """Adds up what N environments return, in any autoreset mode."""

    def __init__(self, env: VectorEnv) -> None:
        super().__init__(env)
        self.total, self._over = np.zeros(env.num_envs), np.ones(env.num_envs, bool)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset, and begin to count anew where episodes begin."""
        observation, info = self.env.reset(seed=seed, options=options)
        begun = (options or {}).get("reset_mask", np.ones(self.num_envs, bool))
        self.total = np.where(begun, 0.0, self.total)
        return observation, info | {KEY: self.total}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step, count, and tell; where an episode ended before, another has begun."""
        observation, reward, terminated, truncated, info = self.env.step(actions)
        figures = (reward, np.float64), (terminated, bool), (truncated, bool)
        given, ended, cut = (_rows(value, self.num_envs, dtype) for value, dtype in figures)
        self.total, self._over = np.where(self._over, 0.0, self.total) + given, ended | cut
        return observation, reward, terminated, truncated, info | {KEY: self.total}


def _rows(value: Any, count: int, dtype: Any) -> Array:
    """Return one number for each environment; zeros where there is none, which the door refuses."""
    with suppress(TypeError, ValueError):
        rows = np.asarray(value, dtype).reshape(-1)
        if len(rows) == count:
            return rows
    return np.zeros(count, dtype)


def _innermost(env: Any, wrapper: type) -> Any:
    """Return the wrapper right around an environment, if one of all may change a reward."""
    around, changes = None, False
    while isinstance(env, wrapper):
        around, changes, env = env, changes or _may_change(type(env)), env.env  # type: ignore[attr-defined]
    return around if changes else None


def _may_change(kind: Any) -> bool:
    """Whether a kind of wrapper may change rewards: any that steps in a way of its own."""
    if issubclass(kind, REWARDING) or not NORMALIZERS.isdisjoint(k.__name__ for k in kind.__mro__):
        return True
    home = kind.step.__module__.partition(".")[0]
    return home != "gymnasium" and home != __name__.partition(".")[0]
