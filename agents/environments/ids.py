"""How an environment's id is qualified, `module:id`, so that a fresh process can make it again."""

import importlib
import re
from copy import deepcopy
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from nets.foreign import blamed

HOME = {"dreamgym": "envs"}  # namespace of an id -> the module whose import registers it
NEIGHBOURS = {  # beginning of an id -> the same, of optional packages
    "ALE": "ale_py",
    "MinAtar": "envs.minatar",
    "MiniGrid": "minigrid",
    "BabyAI": "minigrid",
}
EXTRAS = {"ale_py": "atari", "minatar": "minatar", "minigrid": "minigrid"}  # to install it with


def find_spec(env_id: str) -> EnvSpec:
    """Return a copy of the spec of `Name-v0`, `namespace/Name-v0` or `module:namespace/Name-v0`.

    Raises:
        gymnasium.error.Error: unknown id or module; the nearest known id is suggested.
    """
    module, colon, name = env_id.rpartition(":")
    if not name or (colon and not module):
        expected = "Name-v0, namespace/Name-v0 or module:Name-v0"
        raise gym.error.Error(f"the environment is {env_id!r}: expected {expected}")
    module = module or HOME.get(name.partition("/")[0]) or _neighbour(name)
    if module:
        if not all(word.isidentifier() for word in module.split(".")):
            raise gym.error.Error(f"cannot import {module!r}, which is no module's name")
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            message = f"cannot import {module!r}, which should register {name!r}: {error}"
            raise gym.error.Error(f"{message}; {_remedy(error.name or '')}") from error
        except BaseException as error:
            raise blamed(error, f"the module {module}, when it was imported")  # noqa: B904
    return deepcopy(gym.spec(name))


def _neighbour(name: str) -> str:
    """Return the module of the optional package that an id is of; empty for others."""
    return NEIGHBOURS.get(re.split("[/-]", name)[0], "")


def _remedy(missing: str) -> str:
    """Return what to do where a module is missing."""
    if missing in EXTRAS:
        return f'pip install "dreamgym[{EXTRAS[missing]}]"'
    return "install it, or put the folder that it lies in on PYTHONPATH"


def qualified(spec: EnvSpec, module: str) -> str:
    """Return the id of `spec` behind the module that registers it, empty for Gymnasium's own."""
    return f"{module}:{spec.id}" if module else spec.id


def home(spec: EnvSpec) -> str:
    """Return the module whose import presumably registers `spec`; empty for Gymnasium's own."""
    if neighbour := _neighbour(spec.id):
        return neighbour
    creator = spec.entry_point or spec.vector_entry_point
    if _package(creator) in HOME.values() and spec.namespace not in HOME:
        creator = next(iter(named_code(spec).values()), creator)  # made of our core elsewhere
    package = _package(creator)
    if package in ("gymnasium", "__main__"):
        return ""
    return package if package in HOME.values() else _module(creator)


def named_code(spec: EnvSpec) -> dict[str, str]:
    """Return the arguments of `spec` that name code, as `"module:Class"`."""
    named = {k: v for k, v in spec.kwargs.items() if isinstance(v, str)}
    return {k: v for k, v in named.items() if re.fullmatch(r"[\w.]+:\w+", v)}


def _module(creator: Any) -> str:
    """Return the module of an entry point; its import is that of its package, too."""
    return (creator if isinstance(creator, str) else creator.__module__).partition(":")[0]


def _package(creator: Any) -> str:
    return _module(creator).partition(".")[0]
