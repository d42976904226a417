"""Environments as agents meet them: a recipe that makes them anew, and one way to step them."""

import importlib
import warnings
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from numpy.typing import NDArray

Array = NDArray[Any]

HOME = {"dreamgym": "envs"}  # namespace of an id -> the module whose import registers it


class Step(NamedTuple):
    """What one step of N environments gave, whatever their autoreset mode."""

    observation: Array  # [N, *] to act on next
    reward: Array  # [N]
    terminated: Array  # [N] bool
    truncated: Array  # [N] bool
    next_observation: Array  # [N, *] what the action led to, also where an episode ended
    valid: Array | None  # [N] bool, False where the step only reset; None: all valid


class Stepper(Protocol):
    """N environments that are reset once and stepped for ever."""

    num_envs: int

    def reset(self, seed: int) -> Array:
        """Begin the first episodes; `[N, *observation]`."""

    def step(self, action: Array) -> Step:
        """Step all environments, beginning a new episode where one ended."""

    def close(self) -> None:
        """Release the environments."""


class SingleStepper:
    """One environment seen as a row of one; cheaper than a vector environment of one."""

    num_envs = 1

    def __init__(self, env: gym.Env, owned: bool = True) -> None:
        self.env = env
        self._owned = owned
        self._discrete = isinstance(env.action_space, gym.spaces.Discrete)

    def reset(self, seed: int) -> Array:
        """Reset with `seed`; `[1, *observation]`."""
        self.env.action_space.seed(seed)
        return np.asarray(self.env.reset(seed=seed)[0])[None]

    def step(self, action: Array) -> Step:
        """Step, and reset at once where the episode ended."""
        chosen = int(action[0]) if self._discrete else action[0]
        observation, reward, terminated, truncated, _ = self.env.step(chosen)
        after = here = np.asarray(observation)[None]
        if terminated or truncated:
            here = np.asarray(self.env.reset()[0])[None]
        return Step(
            here, np.array([reward]), np.array([terminated]), np.array([truncated]), after, None
        )

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
        self._over: Array | None = None

    def reset(self, seed: int) -> Array:
        """Reset all environments, number k with `seed + k`; `[N, *observation]`."""
        self._over = None
        self.env.action_space.seed(seed)
        return self.env.reset(seed=seed)[0]

    def step(self, action: Array) -> Step:
        """Step; final observations are put where they belong, reset-only rows marked."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        over = terminated | truncated
        valid = None if self._over is None else ~self._over
        after = observation
        if over.any():
            if self._same_step:
                after = observation.copy()
                for k in over.nonzero()[0]:
                    after[k] = info["final_obs"][k]
            else:
                self._over = over
        else:
            self._over = None
        return Step(observation, reward, terminated, truncated, after, valid)

    def close(self) -> None:
        """Close the environments if the stepper made them."""
        if self._owned:
            self.env.close()


@dataclass(frozen=True)
class EnvSource:
    """A recipe for environments: their Gymnasium spec, or, failing that, one live object."""

    spec: EnvSpec | None
    num_envs: int | None = None
    instance: gym.Env | VectorEnv | None = None
    module: str | None = None

    @classmethod
    def of(
        cls, env: "str | gym.Env | VectorEnv | EnvSource", num_envs: int | None = None
    ) -> "EnvSource":
        """Make a source of an id, an environment, or a vector environment.

        Raises:
            gymnasium.error.Error: there is no such id; the message suggests the nearest.
        """
        if isinstance(env, EnvSource):
            return env
        if isinstance(env, str):
            return cls(find_spec(env), num_envs, module=env.rpartition(":")[0] or None)
        if isinstance(env, VectorEnv):
            spec = deepcopy(env.spec)
            if spec is None:
                _warn_unrepeatable(env)
                return cls(None, env.num_envs, env)
            for key in ("num_envs", "vectorization_mode", "vector_kwargs"):
                spec.kwargs.pop(key, None)
            return cls(spec, env.num_envs)
        if env.spec is None:
            _warn_unrepeatable(env)
            return cls(None, None, env)
        return cls(deepcopy(env.spec), num_envs)

    @classmethod
    def restore(cls, description: Mapping[str, Any]) -> "EnvSource":
        """Make the source that `describe` described, in a fresh process.

        Raises:
            ValueError: it had no id.
        """
        if description["id"] is None:
            message = "the agent was trained on an environment object without an id: pass env="
            raise ValueError(message)
        source = cls.of(description["id"], description["num_envs"])
        if source.spec is not None:
            source.spec.kwargs.update(description["kwargs"])
        return source

    def describe(self) -> dict[str, Any]:
        """The recipe as plain values: qualified id, keyword arguments, number of copies."""
        if self.spec is None:
            return {"id": None, "kwargs": {}, "num_envs": self.num_envs}
        kwargs = {k: v for k, v in self.spec.kwargs.items() if k != "render_mode"}
        env_id = f"{self.module}:{self.spec.id}" if self.module else qualified(self.spec)
        return {"id": env_id, "kwargs": kwargs, "num_envs": self.num_envs}

    @property
    def name(self) -> str:
        """What error messages and titles call the environment."""
        return str(self.instance) if self.spec is None else self.spec.id

    @cached_property
    def _spaces(self) -> tuple[gym.Space, gym.Space]:
        if isinstance(self.instance, VectorEnv):
            return self.instance.single_observation_space, self.instance.single_action_space
        env = self.instance or self.make()
        spaces = env.observation_space, env.action_space
        if self.instance is None:
            env.close()
        return spaces

    @property
    def observation_space(self) -> gym.Space:
        """The space of one environment's observations."""
        return self._spaces[0]

    @property
    def action_space(self) -> gym.Space:
        """The space of one environment's actions."""
        return self._spaces[1]

    @property
    def max_episode_steps(self) -> int | None:
        """The time limit, where one is known."""
        spec = self.instance.spec if self.spec is None and self.instance else self.spec
        return None if spec is None else spec.max_episode_steps

    def make(self, render_mode: str | None = None) -> gym.Env:
        """Make one fresh environment.

        Raises:
            ValueError: the source is a live object without a spec.
        """
        if self.spec is None:
            raise ValueError(f"{self.name} has no spec, so it cannot be made again")
        return gym.make(self.spec, **_given(render_mode=render_mode))

    def stepper(self, num_envs: int | None = None) -> Stepper:
        """Make fresh environments behind one interface (a live object is used as it is)."""
        if isinstance(self.instance, VectorEnv):
            return VectorStepper(self.instance, owned=False)
        if self.instance is not None:
            return SingleStepper(self.instance, owned=False)
        count = num_envs if num_envs is not None else self.num_envs
        return SingleStepper(self.make()) if count is None else VectorStepper(self._vector(count))

    def _vector(self, num_envs: int) -> VectorEnv:
        """Prefer the environment's own vector form, in SAME_STEP mode where it has that."""
        if self.spec is None:
            raise ValueError(f"{self.name} has no spec, so it cannot be made again")
        if self.spec.vector_entry_point is not None and not self.spec.additional_wrappers:
            same_step = _given(autoreset_mode=AutoresetMode.SAME_STEP)
            try:
                return gym.make_vec(self.spec, num_envs=num_envs, **same_step)
            except TypeError:
                return gym.make_vec(self.spec, num_envs=num_envs)
        return SyncVectorEnv([self.make] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)


def find_spec(env_id: str) -> EnvSpec:
    """Return a copy of the spec of `Name-v0`, `namespace/Name-v0` or `module:namespace/Name-v0`.

    Raises:
        gymnasium.error.Error: unknown id or module; the nearest known id is suggested.
    """
    module, _, name = env_id.rpartition(":")
    module = module or HOME.get(name.partition("/")[0], "")
    if module:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            message = f"cannot import {module!r}, which should register {name!r}: {error}"
            raise gym.error.Error(message) from error
    return deepcopy(gym.spec(name))


def qualified(spec: EnvSpec) -> str:
    """Return an id that a fresh process can make: with the module that registers it in front."""
    module = str(spec.entry_point).partition(":")[0].partition(".")[0]
    return spec.id if module == "gymnasium" else f"{module}:{spec.id}"


def _given(**kwargs: Any) -> dict[str, Any]:
    """The keyword arguments that are not None."""
    return {name: value for name, value in kwargs.items() if value is not None}


def _warn_unrepeatable(env: gym.Env | VectorEnv) -> None:
    warnings.warn(
        f"{env} has no spec: it cannot be made anew, so training on it is neither evaluated on "
        "the side nor exactly resumable; register it and pass its id instead",
        stacklevel=4,
    )
