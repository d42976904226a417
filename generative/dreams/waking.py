"""Where a dream comes from, and the real world beside it."""

from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

from nets.foreign import blaming
from nets.runs.checkpoint import CheckpointError

from ..data.actors import foreign_world
from ..loading import load
from ..worlds.spaces import WorldSpec
from ..worlds.world import World
from .pictures import draw


def find_world(run: str | Path | World, device: str) -> World:
    """Return the world of a run folder or file, ready to be dreamed of.

    Raises:
        FileNotFoundError: there is no such run.
        CheckpointError: it holds something else.
        ValueError: it is the run of another generative model.
    """
    if isinstance(run, World):
        return run.eval()
    world = load(run, device=device)
    if not isinstance(world, World):
        raise ValueError(f"{run} is the run of a {world.name}: expected that of a world")
    return world


def horizon_of(world: World, horizon: int | None) -> int:
    """Return after how many steps a dream is truncated.

    Raises:
        ValueError: `horizon` is below 1.
    """
    if horizon is None:
        return world.longest
    if horizon < 1:
        raise ValueError(f"horizon is {horizon}: expected at least 1 step")
    return int(horizon)


def require_known(spec: WorldSpec) -> None:
    """Refuse a real world whose making would import a module that nobody has chosen.

    Raises:
        CheckpointError: it is of a module that is neither known nor imported.
    """
    if foreign_world(spec.env_id):
        module = spec.env_id.rpartition(":")[0]
        message = f"the dream is of {spec.env_id!r}, whose module is not imported"
        raise CheckpointError(f"{message}: import {module} first, if you trust it")


def keys_of(spec: WorldSpec) -> Callable[[], Any] | None:
    """Return what tells the keys that the real world is played with; None where nothing does."""
    if foreign_world(spec.env_id):
        return None
    with suppress(gym.error.Error, ImportError), closing(spec.make()) as env:
        found: Callable[[], Any] | None = getattr(env.unwrapped, "get_keys_to_action", None)
        return found
    return None


class Reality:
    """The real world, going along with a dream until it ends there."""

    def __init__(self, spec: WorldSpec, size: int | None = None) -> None:
        self.spec, self._size = spec, size
        self._env = spec.make()
        self._shown = torch.zeros(1, *spec.shape, dtype=spec.dtype)
        self._over = True

    def begin(self, seed: int) -> None:
        """Begin the episode of a seed."""
        with blaming(f"the environment {self._env}, in its reset"):
            self._look(self._env.reset(seed=seed)[0])
        self._over = False

    def step(self, action: Any) -> None:
        """Do what is done in the dream."""
        if self._over:
            return
        with blaming(f"the environment {self._env}, in its step"):
            observation, _, terminated, truncated, _ = self._env.step(action)
        self._look(observation)
        self._over = bool(terminated or truncated)

    def draw(self) -> NDArray[np.uint8]:
        """Return a picture `[H, W, 3]`, half as bright where the episode is over."""
        picture = draw(self.spec, self._shown, self._size)[0]
        return picture // 2 if self._over else picture

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _look(self, observation: Any) -> None:
        self._shown = torch.as_tensor(np.array(observation), dtype=self.spec.dtype)[None]
