"""Where environments come from: a recipe that makes them anew, in this process or another."""

from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, parse_env_id
from gymnasium.vector import VectorEnv

from nets.foreign import blaming
from nets.kinds import Copies
from nets.near import shortened
from nets.runs.checkpoint import fitting
from nets.settings import check

from .arguments import require_arguments
from .copying import copied
from .description import describe, described_spec, described_wrapper, require_count
from .ids import find_spec, home
from .limits import time_limit
from .making import instead, making
from .places import with_places
from .plain import decode, encode
from .recipe import Unrepeatable, recipe, refuse_normalizers, warn_unrepeatable
from .stepping import SingleStepper, Stepper, VectorStepper
from .trust import foreign, require_harmless, require_known
from .vectors import VECTORIZATIONS, make_vector


@dataclass(frozen=True)
class EnvSource:
    """A recipe for environments: their Gymnasium spec, or, failing that, one live object."""

    spec: EnvSpec | None
    num_envs: Copies | None = None
    instance: gym.Env | VectorEnv | None = None
    module: str = ""
    """What to import so that the id is registered; empty for Gymnasium's own."""
    vectorization: str | None = None
    """How several are stepped side by side: `sync`, `async`, `vector_entry_point`; None prefers the
    environment's own vector form."""

    def __post_init__(self) -> None:
        check(self, "spec", "instance", "module")

    @classmethod
    def of(cls, env: "World", num_envs: int | None = None) -> "EnvSource":
        """Make a source of an id, an environment, or a vector environment.

        An object is made anew, in copies, only where a fresh one is proved to be the same
        (`recipe`); any other is used as it is, with a warning.

        Raises:
            gymnasium.error.Error: there is no such id; the message suggests the nearest.
            ValueError: `num_envs` contradicts the object given, or a wrapper keeps statistics that
                no checkpoint would hold.
            TypeError: it is none of these.
        """
        if not isinstance(env, str | gym.Env | VectorEnv | EnvSource):
            message = f"the environment is {shortened(env)}: expected an id, an environment"
            raise TypeError(f"{message} or a vector environment{instead(env)}")
        if isinstance(env, EnvSource):
            return env if num_envs is None else replace(env, num_envs=num_envs)
        if isinstance(env, str):
            named = find_spec(env)
            refuse_normalizers(named)
            return cls(named, num_envs, module=env.rpartition(":")[0] or home(named))
        copies = env.num_envs if isinstance(env, VectorEnv) else None
        try:
            made = recipe(env)
        except Unrepeatable as why:
            _require_count(num_envs, copies or 1, env)
            warn_unrepeatable(env, str(why))
            return cls(None, copies, env)
        if copies is not None:
            _require_count(num_envs, copies, env)
        spec = with_places(made.spec)
        return cls(spec, copies or num_envs, None, home(spec), made.vectorization)

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
        count, mode = description["num_envs"], description.get("vectorization")
        require_count("num_envs", count)
        if mode not in (None, *VECTORIZATIONS):
            raise ValueError(f"vectorization is {mode!r}: expected one of {VECTORIZATIONS}")
        try:
            parse_env_id(description["id"].rpartition(":")[2])
        except gym.error.Error as error:
            raise ValueError(f"its environment is called {description['id']!r}") from error
        if not trust:
            require_known(description)
        module, _, _ = description["id"].rpartition(":")
        return cls(described_spec(description), count, None, module, mode)

    def describe(self) -> dict[str, Any]:
        """The recipe as plain values; the id is None where no file can tell how to make it."""
        copies: dict[str, Any] = {"num_envs": self.num_envs}
        if self.vectorization is not None:
            copies["vectorization"] = self.vectorization
        if self.spec is not None:
            with suppress(TypeError):  # an argument is not plain
                return encode(describe(self.spec, self.module) | copies)
        return {"id": None} | copies

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
        *,
        said_by: str = "",
    ) -> "EnvSource":
        """Return a source with other arguments, wrappers around it, and another time limit.

        Args:
            arguments: of the environment's constructor.
            wrappers: `module:Class`, or a class of `gymnasium.wrappers`, with their arguments, the
                innermost first.
            max_episode_steps: of an episode; None keeps the limit.
            said_by: the file that says so, which may ask for no more than the file of a run.

        Raises:
            ValueError: the source has no recipe, or there is no such argument or wrapper; or the
                file asks for what is not known to be harmless.
        """
        if not (arguments or wrappers or max_episode_steps):
            return self
        if self.spec is None:
            raise ValueError(f"{self.name} has no spec, so it cannot be made otherwise")
        if said_by:
            require_harmless(said_by, self.spec, arguments, wrappers)
        spec = deepcopy(self.spec)
        require_arguments(spec, arguments)
        spec.kwargs |= arguments
        spec.additional_wrappers += tuple(
            described_wrapper({"entry_point": name, "kwargs": settings})
            for name, settings in wrappers.items()
        )
        refuse_normalizers(spec)
        spec.max_episode_steps = max_episode_steps or spec.max_episode_steps
        return replace(self, spec=with_places(spec))

    @property
    def name(self) -> str:
        """What error messages and titles call the environment."""
        return str(self.instance) if self.spec is None else self.spec.id

    @cached_property
    def _spaces(self) -> tuple[gym.Space, gym.Space]:
        if isinstance(self.instance, VectorEnv):
            return self.instance.single_observation_space, self.instance.single_action_space
        env = self.instance or self.make()
        for what in ("observation_space", "action_space"):
            if not hasattr(env, what):
                raise TypeError(f"{self.name} has no {what}: expected one of gymnasium.spaces")
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
        """The shortest time limit, where one is known."""
        return time_limit(self.known_spec)

    def make(self, render_mode: str | None = None) -> gym.Env:
        """Make one fresh environment.

        Raises:
            ValueError: the source is a live object without a spec.
        """
        if self.spec is None:
            raise ValueError(f"{self.name} has no spec, so it cannot be made again")
        settings: dict[str, Any] = {} if render_mode is None else {"render_mode": render_mode}
        with making(self.name, self.spec):
            return gym.make(self.spec, **settings)

    def apart(self) -> Self:
        """Return a source of the same environment whose episodes are its own.

        Raises:
            ValueError: the source is a live object that cannot be copied.
        """
        if self.instance is None:
            return self
        try:
            return replace(self, instance=copied(self.instance))
        except Exception as error:  # whatever stands in the way of a copy
            message = f"{self.name} cannot be copied ({error}), and its own episode may be open"
            raise ValueError(f"{message}: pass env=") from error

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return replace(self, spec=deepcopy(self.spec, memo), instance=copied(self.instance, memo))

    def stepper(self, num_envs: int | None = None, *, masks: bool = False) -> Stepper:
        """Make fresh environments behind one interface (a live object is used as it is).

        Args:
            num_envs: how many; as many as the source says by default.
            masks: whether to read which actions they allow.
        """
        if isinstance(self.instance, VectorEnv):
            return VectorStepper(self.instance, self.name, owned=False, masks=masks)
        if self.instance is not None:
            return SingleStepper(self.instance, self.name, owned=False, masks=masks)
        count = num_envs if num_envs is not None else self.num_envs
        if count is None or count == 1:
            return SingleStepper(self.make(), self.name, masks=masks)
        return VectorStepper(self._vector(count, masks), self.name, masks=masks)

    def _vector(self, num_envs: int, masks: bool) -> VectorEnv:
        if self.spec is None:
            raise ValueError(f"{self.name} has no spec, so it cannot be made again")
        with making(self.name, self.spec):
            return make_vector(self.spec, num_envs, self.vectorization, masks=masks)


World = str | gym.Env | VectorEnv | EnvSource
"""What an agent can be given to act in."""


def _require_count(asked: int | None, count: int, env: gym.Env | VectorEnv) -> None:
    if asked not in (None, count):
        raise ValueError(f"num_envs is {asked}, but {env} is {count} environments")
