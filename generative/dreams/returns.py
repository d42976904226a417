"""What an agent gets in dreams, and in the real world from the same starts."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import torch
from gymnasium.vector import SyncVectorEnv, VectorEnv
from numpy.typing import NDArray

from nets.foreign import blaming
from nets.process.seeding import seeded

from ..data.actors import Actor
from ..data.guarded import guarded
from ..metrics.measure import Figure
from ..worlds.world import World
from .actions import checked
from .rows import Dreams

Float = NDArray[np.float64]
EPISODES = 100
LIMIT = 1000  # steps of an episode that nothing else ends


def gap(world: World, actor: Actor, *, episodes: int = EPISODES, seed: int = 0) -> Iterator[Figure]:
    """Yield the mean returns of an agent that acts greedily, and by how much dreams promise more.

    Each dream begins with what the real world shows first for its seed, and both are cut off at
    the real world's time limit. A world that is true has a gap of 0.

    Args:
        world: in evaluation mode.
        actor: who acts; one that has to be told which actions are allowed cannot act in dreams.
        episodes: how many, of seeds `seed`, `seed + 1`, ...
        seed: see there.

    Raises:
        ValueError: the agent needs masks of actions.
    """
    if getattr(actor, "masks", False):
        raise ValueError("dreams do not tell which actions are allowed, and the agent asks for it")
    with closing(SyncVectorEnv([world.spec.make] * episodes)) as real, seeded(seed):
        limits = [env.spec.max_episode_steps for env in real.envs if env.spec is not None]
        limit = min([each for each in limits if each is not None], default=LIMIT)
        dreamed = _dreamed(world, actor, episodes, seed, limit)
        lived = _lived(guarded(real), actor, seed, limit)
    difference = dreamed - lived
    of = f"mean return of the agent in {episodes} episodes"
    yield Figure("agent_dream_return", float(dreamed.mean()), f"{of}, in dreams")
    yield Figure("agent_real_return", float(lived.mean()), "the same outside, from the same starts")
    error = float(difference.std(ddof=1) / np.sqrt(episodes)) if episodes > 1 else None
    yield Figure("agent_gap", float(difference.mean()), "what dreams promise more; 0 is true")
    yield Figure("agent_gap_error", error, "standard error of the gap, over starts")


def _dreamed(world: World, actor: Actor, count: int, seed: int, limit: int) -> Float:
    """Return what an agent gets in dreams, `[N]`."""
    dreams = Dreams(world, count, "real")
    for row in range(count):
        dreams.seed(row, seed + row)
    dreams.begin(range(count))
    total, alive = np.zeros(count), np.ones(count, bool)
    state: Any = None
    start = np.ones(count, bool)
    for _ in range(limit):
        seen = dreams.observation.cpu().numpy()
        action, state = actor.predict(seen, state, start, deterministic=True)
        rows = checked(world.spec.action_space, action, count)
        result = dreams.step(torch.from_numpy(rows).to(world.device))
        total += alive * result.reward.double().cpu().numpy()
        alive &= ~result.terminated.cpu().numpy()
        start = np.zeros(count, bool)
        if not alive.any():
            break
    return total


def _lived(real: VectorEnv, actor: Actor, seed: int, limit: int) -> Float:
    """Return what it gets in the first episodes of seeds s, s + 1, ... `[N]`."""
    count = real.num_envs
    total, alive = np.zeros(count), np.ones(count, bool)
    with blaming(f"the environment {real}, in its reset"):
        observation, _ = real.reset(seed=seed)
    state: Any = None
    start = np.ones(count, bool)
    for steps in range(limit):
        action, state = actor.predict(observation, state, start, deterministic=True)
        with blaming(f"the environment {real}, in its step after {steps} steps"):
            observation, reward, terminated, truncated, _ = real.step(action)
        total += alive * reward
        start = terminated | truncated
        alive &= ~start
        if not alive.any():
            break
    return total
