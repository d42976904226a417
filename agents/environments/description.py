"""The recipe of an environment as a file holds it, and back again."""

import importlib
import sys
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, WrapperSpec

from nets.near import hint

from .arguments import require_wrapping
from .ids import find_spec, named_code, qualified


def describe(spec: EnvSpec, module: str) -> dict[str, Any]:
    """Return a recipe whose values may not be plain yet.

    Args:
        spec: of the environment.
        module: what to import so that its id is registered; empty for Gymnasium's own.

    Raises:
        TypeError: its id makes something else.
    """
    registered = gym.registry.get(spec.id, spec)
    for name in ("entry_point", "vector_entry_point"):  # a spec of one's own may bear any id
        if getattr(spec, name) != getattr(registered, name):
            raise TypeError(f"{spec.id} is registered with another {name}")
    code = named_code(registered).items()
    return {
        "id": qualified(spec, module),
        "kwargs": {k: v for k, v in spec.kwargs.items() if (k, v) not in code},
        "max_episode_steps": spec.max_episode_steps,
        "wrappers": [
            {"entry_point": wrapper.entry_point, "kwargs": wrapper.kwargs}
            for wrapper in spec.additional_wrappers
        ],
    }


def described_spec(description: Mapping[str, Any]) -> EnvSpec:
    """Return the spec that `describe` described; nothing but wrappers' modules are imported.

    Raises:
        ValueError: it is damaged, or replaces an environment's own code.
        gymnasium.error.Error: there is no such environment.
    """
    require_count("max_episode_steps", description["max_episode_steps"])
    spec = find_spec(description["id"])
    for name in named_code(spec).keys() & description["kwargs"]:
        message = f"{name}={spec.kwargs[name]!r} of {spec.id} names code"
        raise ValueError(f"{message}, which a file cannot replace")
    spec.kwargs.update(description["kwargs"])
    spec.max_episode_steps = description["max_episode_steps"]
    spec.additional_wrappers = tuple(map(described_wrapper, description["wrappers"]))
    return spec


def described_wrapper(description: Mapping[str, Any]) -> WrapperSpec:
    """Return the spec of a wrapper; nothing but a wrapper's class is ever called.

    Raises:
        ValueError: the entry point is something else, or takes other arguments.
    """
    module, _, name = description["entry_point"].rpartition(":")
    module = module or "gymnasium.wrappers"
    try:
        kind = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        raise ValueError(f"cannot import {module!r}, the module of {name}: {error}") from error
    if not _is_wrapper(kind):
        known = [each for each, what in vars(sys.modules[module]).items() if _is_wrapper(what)]
        raise ValueError(f"{module}:{name} is not a wrapper of environments: {hint(name, known)}")
    require_wrapping(kind, name, description["kwargs"])
    return WrapperSpec(name, f"{module}:{name}", dict(description["kwargs"]))


def _is_wrapper(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, gym.Wrapper)


def require_count(name: str, count: object) -> None:
    """Refuse what is neither None nor a count.

    Raises:
        ValueError: so it is.
    """
    if count is not None and not (type(count) is int and count > 0):
        raise ValueError(f"{name} is {count!r}")
