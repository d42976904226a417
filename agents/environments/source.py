"""Where environments come from: a recipe that makes them anew, in this process or another."""

import importlib
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, WrapperSpec
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv, VectorWrapper

from nets.foreign import blamed, blaming
from nets.runs.checkpoint import fitting
from nets.settings import Copies, check

from .arguments import require_arguments
from .ids import find_spec, home, named_code, qualified
from .plain import decode, encode
from .stepping import SingleStepper, Stepper, VectorStepper
from .trust import foreign, require_known


@dataclass(frozen=True)
class EnvSource:
    """A recipe for environments: their Gymnasium spec, or, failing that, one live object."""

    spec: EnvSpec | None
    num_envs: Copies | None = None
    instance: gym.Env | VectorEnv | None = None
    module: str = ""
    """What to import so that the id is registered; empty for Gymnasium's own."""

    def __post_init__(self) -> None:
        check(self, "spec", "instance", "module")

    @classmethod
    def of(
        cls, env: "str | gym.Env | VectorEnv | EnvSource", num_envs: int | None = None
    ) -> "EnvSource":
        """Make a source of an id, an environment, or a vector environment.

        Raises:
            gymnasium.error.Error: there is no such id; the message suggests the nearest.
            ValueError: `num_envs` contradicts the object given.
        """
        if isinstance(env, EnvSource):
            return env if num_envs is None else replace(env, num_envs=num_envs)
        if isinstance(env, str):
            named = find_spec(env)
            return cls(named, num_envs, module=env.rpartition(":")[0] or home(named))
        spec = _recipe(env)
        copies = env.num_envs if isinstance(env, VectorEnv) else None
        if num_envs not in (None, copies or 1) and (spec is None or copies is not None):
            raise ValueError(f"num_envs is {num_envs}, but {env} is {copies or 1} environments")
        if spec is None:
            _warn_unrepeatable(env)
            return cls(None, copies, env)
        return cls(spec, copies or num_envs, module=home(spec))

    @classmethod
    def restore(
        cls,
        description: Mapping[str, Any],
        origin: str | Path = "the recorded environment",
        *,
        trust: bool = False,
    ) -> Self:
        """Make the source that `describe` described in the file `origin`, in a fresh process.

        Raises:
            ValueError: there is no recipe.
            UntrustedError: it asks for what is not known to be harmless, and `trust` is False.
            CheckpointError: it is damaged, or replaces an environment's own code.
            gymnasium.error.Error: there is no such environment.
        """
        with fitting(origin):
            if description["id"] is not None:
                return cls._made(decode(dict(description)), trust)
        raise ValueError("the agent's environment cannot be made again from a file: pass env=")

    @classmethod
    def _made(cls, description: Mapping[str, Any], trust: bool) -> Self:
        for name in ("num_envs", "max_episode_steps"):
            count = description[name]
            if count is not None and not (type(count) is int and count > 0):
                raise ValueError(f"{name} is {count!r}")
        if not trust:
            require_known(description)
        module, _, _ = description["id"].rpartition(":")
        spec = find_spec(description["id"])
        for name in named_code(spec).keys() & description["kwargs"]:
            message = f"{name}={spec.kwargs[name]!r} of {spec.id} names code"
            raise ValueError(f"{message}, which a file cannot replace")
        spec.kwargs.update(description["kwargs"])
        spec.max_episode_steps = description["max_episode_steps"]
        spec.additional_wrappers = tuple(map(_wrapper, description["wrappers"]))
        return cls(spec, description["num_envs"], module=module)

    def describe(self) -> dict[str, Any]:
        """The recipe as plain values; the id is None where no file can tell how to make it."""
        if self.spec is not None:
            code = named_code(gym.registry.get(self.spec.id, self.spec)).items()
            recipe = {
                "id": qualified(self.spec, self.module),
                "kwargs": {k: v for k, v in self.spec.kwargs.items() if (k, v) not in code},
                "max_episode_steps": self.spec.max_episode_steps,
                "wrappers": [
                    {"entry_point": wrapper.entry_point, "kwargs": wrapper.kwargs}
                    for wrapper in self.spec.additional_wrappers
                ],
                "num_envs": self.num_envs,
            }
            with suppress(TypeError):  # an argument is not plain
                return encode(recipe)
        return {"id": None, "num_envs": self.num_envs}

    @property
    def needs_trust(self) -> bool:
        """Whether a fresh process makes it again from a file only if that is trusted."""
        description = self.describe()
        return description["id"] is not None and any(foreign(description, imported=()))

    def adapted(
        self,
        arguments: Mapping[str, Any],
        wrappers: Mapping[str, Mapping[str, Any]],
        max_episode_steps: int | None = None,
    ) -> "EnvSource":
        """Return a source with other arguments, wrappers around it, and another time limit.

        Args:
            arguments: of the environment's constructor.
            wrappers: `module:Class`, or a class of `gymnasium.wrappers`, with their arguments, the
                innermost first.
            max_episode_steps: of an episode; None keeps the limit.

        Raises:
            ValueError: the source has no recipe, or there is no such argument or wrapper.
        """
        if not (arguments or wrappers or max_episode_steps):
            return self
        if self.spec is None:
            raise ValueError(f"{self.name} has no spec, so it cannot be made otherwise")
        spec = deepcopy(self.spec)
        require_arguments(spec, arguments)
        spec.kwargs |= arguments
        spec.additional_wrappers += tuple(
            _wrapper({"entry_point": name, "kwargs": settings})
            for name, settings in wrappers.items()
        )
        spec.max_episode_steps = max_episode_steps or spec.max_episode_steps
        return replace(self, spec=spec)

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
            with blaming(f"the environment {self.name}, in its close"):
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
    def known_spec(self) -> EnvSpec | None:
        """The spec, also where it is not known to make the live object again."""
        return self.instance.spec if self.spec is None and self.instance else self.spec

    @property
    def max_episode_steps(self) -> int | None:
        """The time limit, where one is known."""
        spec = self.known_spec
        return None if spec is None else spec.max_episode_steps

    def make(self, render_mode: str | None = None) -> gym.Env:
        """Make one fresh environment.

        Raises:
            ValueError: the source is a live object without a spec.
        """
        if self.spec is None:
            raise ValueError(f"{self.name} has no spec, so it cannot be made again")
        settings: dict[str, Any] = {} if render_mode is None else {"render_mode": render_mode}
        with self._making():
            return gym.make(self.spec, **settings)

    @contextmanager
    def _making(self) -> Iterator[None]:
        """Note on errors whose they are, but for what Gymnasium itself refuses."""
        try:
            yield
        except gym.error.Error:
            raise
        except BaseException as error:
            raise blamed(error, f"the environment {self.name}, when it was made")  # noqa: B904

    def apart(self) -> Self:
        """Return a source of the same environment whose episodes are its own.

        Raises:
            ValueError: the source is a live object that cannot be copied.
        """
        if self.instance is None:
            return self
        try:
            return replace(self, instance=deepcopy(self.instance))
        except Exception as error:  # whatever stands in the way of a copy
            message = f"{self.name} cannot be copied ({error}), and its own episode may be open"
            raise ValueError(f"{message}: pass env=") from error

    def stepper(self, num_envs: int | None = None) -> Stepper:
        """Make fresh environments behind one interface (a live object is used as it is)."""
        if isinstance(self.instance, VectorEnv):
            return VectorStepper(self.instance, self.name, owned=False)
        if self.instance is not None:
            return SingleStepper(self.instance, self.name, owned=False)
        count = num_envs if num_envs is not None else self.num_envs
        if count is None or count == 1:
            return SingleStepper(self.make(), self.name)
        return VectorStepper(self._vector(count), self.name)

    def _vector(self, num_envs: int) -> VectorEnv:
        """Prefer the environment's own vector form, in SAME_STEP mode where it has that."""
        if self.spec is None:
            raise ValueError(f"{self.name} has no spec, so it cannot be made again")
        if self.spec.vector_entry_point is not None and not self.spec.additional_wrappers:
            same_step: dict[str, Any] = {"autoreset_mode": AutoresetMode.SAME_STEP}
            with self._making():
                try:
                    return gym.make_vec(self.spec, num_envs=num_envs, **same_step)
                except TypeError:  # it has no choice of modes
                    return gym.make_vec(self.spec, num_envs=num_envs)
        return SyncVectorEnv([self.make] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)


def _recipe(env: gym.Env | VectorEnv) -> EnvSpec | None:
    """Return the spec that makes `env` again, without its window; None where there is none."""
    if env.spec is None or isinstance(env, VectorWrapper):
        return None
    spec = deepcopy(env.spec)
    spec.kwargs.pop("render_mode", None)
    if isinstance(env, VectorEnv):
        for key in ("num_envs", "vectorization_mode", "vector_kwargs", "autoreset_mode"):
            spec.kwargs.pop(key, None)
        limit = spec.kwargs.pop("max_episode_steps", None)
        spec.max_episode_steps = limit or spec.max_episode_steps
    anonymous = any(wrapper.kwargs is None for wrapper in spec.additional_wrappers)
    return None if anonymous or "wrappers" in spec.kwargs else spec


def _wrapper(description: Mapping[str, Any]) -> WrapperSpec:
    """Return the spec of a wrapper; nothing but a wrapper's class is ever called.

    Raises:
        ValueError: the entry point is something else.
    """
    module, _, name = description["entry_point"].rpartition(":")
    module = module or "gymnasium.wrappers"
    try:
        kind = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        raise ValueError(f"cannot import {module!r}, the module of {name}: {error}") from error
    if not _is_wrapper(kind):
        known = [each for each, what in vars(sys.modules[module]).items() if _is_wrapper(what)]
        near = get_close_matches(name, known, n=1)
        hint = f": did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{module}:{name} is not a wrapper of environments{hint}")
    return WrapperSpec(name, f"{module}:{name}", dict(description["kwargs"]))


def _is_wrapper(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, gym.Wrapper)


def _warn_unrepeatable(env: gym.Env | VectorEnv) -> None:
    warnings.warn(
        f"{env} cannot be made anew (it has no spec, or a wrapper that keeps no record), so "
        "training on it is neither evaluated on the side nor exactly resumable; register it and "
        "pass its id instead",
        stacklevel=4,
    )
