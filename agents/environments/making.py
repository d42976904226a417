"""Errors of making an environment: whose they are, or what is missing on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from nets.foreign import blamed
from nets.returned import InvalidExperience

from .ids import home
from .trust import OURS


@contextmanager
def making(name: str, spec: EnvSpec | None) -> Iterator[None]:
    """Note on errors of the block whose they are, but for our own, and what Gymnasium refuses.

    Args:
        name: of the environment.
        spec: what it is made by.

    Raises:
        gymnasium.error.DependencyNotInstalled: one of Gymnasium's own needs what is not installed,
            or is not part of it any more.
    """
    try:
        yield
    except gym.error.DependencyNotInstalled as error:
        if spec is None or not str(spec.entry_point).startswith("gymnasium.envs.box2d"):
            raise
        message = f'{name} cannot be made: Box2D is not installed; pip install "dreamgym[box2d]"'
        raise gym.error.DependencyNotInstalled(message) from error
    except (gym.error.Error, InvalidExperience):
        raise
    except BaseException as error:
        if isinstance(error, Exception) and spec is not None and home(spec) in OURS:
            raise
        if not isinstance(error, ImportError) or spec is None or home(spec):
            raise blamed(error, f"the environment {name}, when it was made")  # noqa: B904
        remedy = f"; pip install {error.name}" if error.name else ""
        message = f"{name} cannot be made: {error}{remedy}"
        raise gym.error.DependencyNotInstalled(message) from error


def instead(env: object) -> str:
    """Return what to hand over instead of something that is no environment."""
    if any(kind.__module__.startswith("stable_baselines3.") for kind in type(env).__mro__):
        return "; of stable-baselines3's, Gymnasium's make_vec(id, num_envs=N) takes the place"
    return "; call it, and hand over what it makes" if callable(env) else ""
