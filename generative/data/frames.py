"""Data from environments: what they show while somebody plays them."""

from contextlib import closing
from importlib import import_module

import gymnasium as gym
import numpy as np
import torch

from nets.process.memory import within_memory
from nets.process.seeding import seeded

from .actors import Actor, load_actor
from .dataset import Dataset
from .making import qualified
from .pictures import channels_first, resized
from .playing import drawn, make_vec, play

FRAMES = 10_000
NUM_ENVS = 16


def load_frames(
    where: str,
    *,
    size: int | None = None,
    limit: int | None = None,
    seed: int = 0,
    trust: bool = False,
) -> Dataset:
    """Collect what an environment draws of itself; see `collect`.

    Args:
        where: `ENV_ID`, played at random, or `ENV_ID@RUN`, played by the agent of a run folder.
        size: side of the pictures in pixels; their own by default.
        limit: how many, 10,000 by default.
        seed: of environment and player.
        trust: whether the run's own environment may be of any module.
    """
    return _load("frames", where, size, limit, seed, trust)


def load_observations(
    where: str,
    *,
    size: int | None = None,
    limit: int | None = None,
    seed: int = 0,
    trust: bool = False,
) -> Dataset:
    """Collect an environment's observations, which are pictures; arguments of `load_frames`."""
    return _load("observations", where, size, limit, seed, trust)


def _load(
    kind: str, where: str, size: int | None, limit: int | None, seed: int, trust: bool
) -> Dataset:
    env_id, _, run = where.partition("@")
    if not env_id:
        raise ValueError(f"{kind}:{where} names no environment: expected {kind}:ENV_ID")
    module = qualified(env_id).rpartition(":")[0]
    if module:
        import_module(module)  # so that the run may act in the very world that is named
    return collect(
        env_id,
        FRAMES if limit is None else limit,
        actor=load_actor(run, trust=trust) if run else None,
        observations=kind == "observations",
        size=size,
        seed=seed,
        name=f"{kind}:{where}",
    )


def collect(
    env_id: str,
    count: int,
    *,
    actor: Actor | None = None,
    observations: bool = False,
    size: int | None = None,
    seed: int = 0,
    name: str = "",
) -> Dataset:
    """Play environments side by side and keep a picture of every moment.

    Args:
        env_id: `Name-v0`, or `module:namespace/Name-v0` where a module registers it.
        count: how many pictures, the first moment of every episode included.
        actor: who plays, not greedily; uniformly random actions by default.
        observations: keep the observations instead of what `render()` draws.
        size: side of the pictures in pixels; their own by default.
        seed: environment k is seeded with `seed + k`, all other chance with `seed`.
        name: of the data set.

    Returns:
        Pictures uint8 `[count, C, H, W]`, moment by moment, environment by environment; taken to be
        exhaustive, as of a small world nearly all moments are seen.

    Raises:
        gymnasium.error.Error: there is no such environment; the nearest is suggested.
        ValueError: it does not draw, or its observations are no pictures; or `count` is below 1, or
            more than memory holds.
    """
    if count < 1:
        raise ValueError(f"{name or env_id}: {count} pictures, expected at least 1")
    num_envs = min(NUM_ENVS, count)
    kept = 0
    pictures: list[torch.Tensor] = []
    with seeded(seed), closing(make_vec(env_id, num_envs, draw=not observations)) as world:
        if observations:
            check_pictures(env_id, world.single_observation_space)
        for seen in play(world, actor, seed):
            shown = seen.observation if observations else drawn(world)
            moment = channels_first(shown[: count - kept])
            if size is not None:
                moment = resized(moment, size, size)
            if not pictures:
                within_memory(f"{name or env_id}: {count} pictures", count, moment[0].numel())
            pictures.append(moment)
            kept += len(moment)
            if kept == count:
                break
    return Dataset(name or env_id, torch.cat(pictures).contiguous(), exhaustive=True)


def check_pictures(name: str, space: gym.Space) -> None:
    """Raise unless observations of `space` are pictures, uint8 `[H, W]` or `[H, W, C]`.

    Raises:
        ValueError: they are not.
    """
    if not is_picture(space):
        message = f"observations of {name} are {space}"
        raise ValueError(f"{message}, expected uint8 pictures [H, W] or [H, W, C]")


def is_picture(space: gym.Space) -> bool:
    """Whether observations are pictures, uint8 `[H, W]` or `[H, W, C]` with 1, 3 or 4 channels."""
    if not isinstance(space, gym.spaces.Box) or space.dtype != np.uint8:
        return False
    return len(space.shape) == 2 or (len(space.shape) == 3 and space.shape[2] in (1, 3, 4))
