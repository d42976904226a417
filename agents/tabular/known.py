"""Whether an environment plays the transition table that it shows, or something else.

A subclass may inherit a table, and step otherwise; a wrapper may change what a step gives.
"""

from contextlib import closing
from functools import cached_property
from types import FunctionType
from typing import Any

import gymnasium as gym
from gymnasium import wrappers
from gymnasium.envs.toy_text.cliffwalking import CliffWalkingEnv
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv
from gymnasium.envs.toy_text.taxi import TaxiEnv
from gymnasium.vector import VectorEnv

from ..environments.source import EnvSource
from .audition import contradiction
from .model import Model, NoModelError
from .model_env import ModelEnv

NEUTRAL = {  # wrappers that leave transitions as they are; the loop does the time limit's work
    wrappers.HumanRendering,
    wrappers.OrderEnforcing,
    wrappers.PassiveEnvChecker,
    wrappers.RecordEpisodeStatistics,
    wrappers.RecordVideo,
    wrappers.RenderCollection,
    wrappers.TimeLimit,
}
READERS = (FrozenLakeEnv, CliffWalkingEnv, TaxiEnv)
"""Classes whose steps are looked up in their table."""


def known_model(source: EnvSource) -> Model:
    """Return the transition table of an environment that is known to play it.

    Gymnasium's tables and ours are; those of others are played, and compared.

    Raises:
        NoModelError: it has none, or plays otherwise than its table says.
    """
    instance = source.instance
    if isinstance(instance, VectorEnv):
        raise NoModelError(f"{source.name} is many environments: pass one, or its id")
    env = instance or source.make()
    try:
        model = Model.from_env(env)
        _require_neutral(env)
        if not _looks_up(env.unwrapped, changed=instance is not None):
            _require_agreement(env if instance is None else _copy(source), model)
    finally:
        if instance is None:
            env.close()
    return model


def exact_model(source: EnvSource) -> Model | None:
    """Return the transition table of an environment; None where it does not play one exactly.

    States and actions are what is observed and chosen. A live object may have any state.
    """
    if source.spec is None:
        return None
    try:
        model = known_model(source)
    except NoModelError:
        return None
    spaces = source.observation_space, source.action_space
    sizes = model.num_states, model.num_actions
    exact = all(s == gym.spaces.Discrete(n) for s, n in zip(spaces, sizes, strict=True))
    return model if exact else None


def _require_neutral(env: gym.Env) -> None:
    layer = env
    while isinstance(layer, gym.Wrapper):
        if type(layer) not in NEUTRAL:
            name = type(layer).__name__
            raise NoModelError(f"the table of {env} says nothing of {name}: leave the wrapper out")
        layer = layer.env


def _looks_up(world: Any, *, changed: bool) -> bool:
    """Whether every step of `world`, whose attributes may be `changed`, is read from its table."""
    if type(world) is ModelEnv:
        return True
    if vars(world).keys() & {"step", "reset"}:
        return False
    for kind in READERS:
        if isinstance(world, kind):
            same = [getattr(type(world), name) is getattr(kind, name) for name in ("step", "reset")]
            return all(same) and not getattr(world, "fickle_passenger", False)
    return not changed and _is_ours(world)


def _is_ours(world: Any) -> bool:
    """Whether `world` is one of `envs`, and of its dynamics nothing is overridden elsewhere."""
    kind = type(world)
    if f"{kind.__module__}:{kind.__name__}" != "envs.scalar:DynamicsEnv":
        return False
    dynamics = type(world.dynamics)
    parts = [getattr(dynamics, name, None) for name in ("P", "initial", "step", "observe")]
    code = [part.func if isinstance(part, cached_property) else part for part in parts]
    return all(
        isinstance(part, FunctionType) and part.__module__.startswith("envs.") for part in code
    )


def _copy(source: EnvSource) -> gym.Env:
    """Return a copy to play on."""
    try:
        copied = source.apart().instance
    except ValueError as error:
        raise NoModelError(str(error)) from error
    assert isinstance(copied, gym.Env)
    return copied


def _require_agreement(env: gym.Env, model: Model) -> None:
    with closing(env):
        told = contradiction(env.unwrapped, model)
    if told:
        message = f"{model.name} does not play its own table: {told}"
        raise NoModelError(f"{message}; planning needs one that it plays, learning agents do not")
