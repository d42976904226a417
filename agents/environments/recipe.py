"""How an environment object is made anew, where a fresh one is proved to be the same.

Whatever differs from a fresh one in more than the episode under way is a thing of its own: changed
attributes, statistics, a window, arguments that nobody wrote down.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import is_dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from gymnasium import wrappers
from gymnasium.envs.registration import EnvSpec, WrapperSpec, load_env_creator
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorEnv, VectorWrapper

from nets.near import shortened
from nets.process.seeding import seeded
from nets.warned import warn

from .differences import Env, differences, layers
from .likeness import distant_differences, telling
from .plain import encode

NORMALIZERS = {"NormalizeObservation", "NormalizeReward"}
RECORDERS = (
    wrappers.HumanRendering,
    wrappers.RecordEpisodeStatistics,
    wrappers.RecordVideo,
    wrappers.RenderCollection,
)
CHECKS = wrappers.PassiveEnvChecker, wrappers.OrderEnforcing, wrappers.TimeLimit
OF_VECTORS = ("num_envs", "vectorization_mode", "vector_kwargs", "autoreset_mode")
HARMLESS = {"autoreset_mode", "context", "copy", "daemon", "shared_memory"}


class Unrepeatable(Exception):
    """No fresh environment is known to be the same; the message says why."""


class Recipe(NamedTuple):
    """What makes an environment anew."""

    spec: EnvSpec
    vectorization: str | None = None
    """How several are stepped side by side, in `gym.make_vec`'s words; None: as suits them."""


def recipe(env: Env) -> Recipe:
    """Return what makes environments that nothing tells from `env` after a reset with one seed.

    Fresh ones are made to compare, and where `env` has been played, two of them are played too.

    Raises:
        Unrepeatable: nothing is known to.
        ValueError: a wrapper keeps statistics that no checkpoint would hold.
    """
    refuse_normalizers(env)
    if env.render_mode == "human":
        raise Unrepeatable("it is shown in a window")
    with _own_fault():
        return _of_many(env) if isinstance(env, VectorEnv) else Recipe(_of_one(env))


def refuse_normalizers(whole: Env | EnvSpec) -> None:
    """Refuse wrappers whose running statistics no checkpoint holds.

    Raises:
        ValueError: there is one; the message says what to do.
    """
    if isinstance(whole, EnvSpec):
        found = [w.name for w in whole.additional_wrappers if _is_gymnasiums(w.entry_point)]
    else:
        members = whole.envs if isinstance(whole, SyncVectorEnv) else ()
        found = [base for env in (whole, *members) for kind in _wrappers(env) for base in kind]
    for name in NORMALIZERS.intersection(found):
        raise ValueError(
            f"{name} keeps running statistics that no checkpoint holds, so that an agent would be "
            "evaluated, resumed and loaded on other numbers than it learned from: leave it out, "
            "and set normalize_observation or normalize_reward (ppo, a2c, reinforce)"
        )


def warn_unrepeatable(env: Env, why: str) -> None:
    """Tell whoever made the agent what it costs that the object itself is used."""
    warn(
        f"{env} cannot be made anew ({why}), so it is used as it is, and training on it is neither "
        "evaluated on the side nor exactly resumable; register what you need and pass its id"
    )


@contextmanager
def _own_fault() -> Iterator[None]:
    """Let errors of a fresh environment mean that there is no fresh one to compare with."""
    try:
        with seeded(0):  # its constructor may draw from global generators
            yield
    except Unrepeatable:
        raise
    except Exception as error:
        raise Unrepeatable(f"another one fails: {type(error).__name__}: {error}") from error


def _of_one(env: gym.Env) -> EnvSpec:
    spec = _spec(env)
    told = telling(partial(differences, env), lambda: gym.make(spec))
    if told:
        raise Unrepeatable(told)
    return spec


def _spec(env: gym.Env) -> EnvSpec:
    """Return the spec of an environment and of every wrapper around it, in order.

    `env.spec` knows one time limit, and of wrappers not where it stands among them.
    """
    base, *around = layers(env)
    if base.spec is None:
        raise Unrepeatable("it has no spec")
    _require_values(base.spec.kwargs, base.spec.id)
    made_with = _made_with(base.spec)
    inner, outer = around[: len(made_with)], around[len(made_with) :]
    if [type(layer) for layer in inner] != made_with:
        raise Unrepeatable("it is wrapped otherwise than a fresh one")
    first = inner[-1] if inner else base
    checks: dict[type, Any] = {}
    for kind in CHECKS:  # the order in which `gym.make` puts them
        if outer and type(outer[0]) is kind:
            checks[kind] = outer.pop(0)
    limit = checks.get(wrappers.TimeLimit)
    return replace(
        base.spec,
        kwargs=deepcopy(base.spec.kwargs),
        disable_env_checker=wrappers.PassiveEnvChecker not in checks,
        order_enforce=wrappers.OrderEnforcing in checks,
        max_episode_steps=None if limit is None else limit._saved_kwargs["max_episode_steps"],
        additional_wrappers=(*first.spec.additional_wrappers, *map(_recorded, outer)),
    )


def _made_with(spec: EnvSpec) -> list[type]:
    """Return the wrappers that an environment's own creator puts around it."""
    named = spec.entry_point
    if isinstance(load_env_creator(named) if isinstance(named, str) else named, type):
        return []
    with closing(gym.make(spec)) as env:
        return [type(layer) for layer in layers(env)[1:]]


def _recorded(layer: gym.Wrapper) -> WrapperSpec:
    """Return what makes a wrapper again."""
    kind = type(layer)
    if isinstance(layer, RECORDERS):
        raise Unrepeatable(f"{kind.__name__} records what only the given object shows")
    if not isinstance(layer, RecordConstructorArgs):
        raise Unrepeatable(f"{kind.__name__} keeps no record of its arguments")
    if "<locals>" in kind.__qualname__:
        raise Unrepeatable(f"{kind.__name__} is defined within a function")
    arguments = {name: value for name, value in layer._saved_kwargs.items() if name != "env"}
    _require_values(arguments, kind.__name__)
    return WrapperSpec(kind.__name__, f"{kind.__module__}:{kind.__qualname__}", arguments)


def _of_many(env: VectorEnv) -> Recipe:
    if isinstance(env, VectorWrapper):
        raise Unrepeatable(f"{type(env).__name__} keeps no record of its arguments")
    given = env.spec
    if given is None:
        raise Unrepeatable("it has no spec")
    spec = replace(given, kwargs=dict(given.kwargs))
    if "wrappers" in spec.kwargs:
        raise Unrepeatable("its members are wrapped by what no spec records")
    odd = sorted(spec.kwargs.get("vector_kwargs", {}).keys() - HARMLESS)
    if odd:
        raise Unrepeatable(f"it was made with {' and '.join(odd)} of its own")
    mode = spec.kwargs.get("vectorization_mode")
    for key in OF_VECTORS:
        spec.kwargs.pop(key, None)
    limit = spec.kwargs.pop("max_episode_steps", None)
    spec.max_episode_steps = limit or spec.max_episode_steps
    _require_values(spec.kwargs, spec.id)
    make: Callable[[], Any] = lambda: gym.make(spec)  # noqa: E731
    if type(env) is SyncVectorEnv:
        told = next(filter(None, (telling(partial(differences, e), make) for e in env.envs)), "")
    elif type(env) is AsyncVectorEnv:
        told = telling(partial(distant_differences, env), make)
    else:
        told = telling(partial(differences, env), lambda: gym.make_vec(given))
    if told:
        raise Unrepeatable(told)
    return Recipe(spec, mode)


def _wrappers(env: Env) -> Iterator[list[str]]:
    """Yield of each wrapper the names of Gymnasium's classes that it is made of."""
    while isinstance(env, gym.Wrapper | VectorWrapper):
        yield [base.__name__ for base in type(env).__mro__ if _is_gymnasiums(base.__module__)]
        env = env.env


def _is_gymnasiums(module: str) -> bool:
    return module.startswith("gymnasium.")


def _require_values(arguments: dict[str, Any], owner: str) -> None:
    """Refuse arguments that are objects: copies would no longer share them with the caller."""
    for name, value in arguments.items():
        if not _is_value(value):
            raise Unrepeatable(f"{name} of {owner} is an object: {shortened(value)}")


def _is_value(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_value, value))
    if isinstance(value, dict):
        return all(map(_is_value, value.values()))
    if isinstance(value, gym.Space | np.dtype | np.ndarray | torch.nn.Module):
        return True
    if is_dataclass(value):
        return bool(value.__dataclass_params__.frozen)  # type: ignore[union-attr]
    try:
        encode(value)
    except TypeError:
        return deepcopy(value) is value  # functions, classes, members of enumerations
    return True
