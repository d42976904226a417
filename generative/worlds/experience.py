"""Live through a real world, and keep what happened."""

import math
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from numpy.typing import NDArray
from torch import Tensor

from nets.process.memory import within_memory
from nets.process.seeding import seeded

from ..data.actors import Actor
from ..data.guarded import guarded
from ..data.making import making
from ..data.playing import Moment, play
from .episodes import Episodes
from .spaces import WorldSpec

NUM_ENVS = 16
STEP = 300  # bytes of a step as it is lived through, beside what is shown
Array = NDArray[Any]


def collect(
    spec: WorldSpec,
    steps: int,
    *,
    actor: Actor | None = None,
    exploration: float = 0.0,
    seed: int = 0,
) -> Episodes:
    """Live through `steps` steps of a world, several copies side by side.

    Args:
        spec: the world, as `spec_of` returns it.
        steps: of all copies together.
        actor: who acts, not greedily; uniformly random actions by default.
        exploration: the share of an actor's actions that are uniformly random instead.
        seed: copy k is seeded with `seed + k`, all other chance with `seed`.

    Raises:
        gymnasium.error.Error: there is no such environment.
        ValueError: `steps` is below 1, or more than memory holds; or a number that the world
            returns is not finite.
    """
    if steps < 1:
        raise ValueError(f"{spec.env_id}: {steps} steps, expected at least 1")
    shown = math.prod(spec.shape) * (spec.observation_space.dtype or np.dtype(np.int64)).itemsize
    within_memory(f"{spec.env_id}: {steps} steps", steps, shown + STEP)
    with seeded(seed), closing(_make(spec, min(NUM_ENVS, steps))) as world:
        lives = _live(play(world, actor, seed, exploration), steps)
    episodes = Episodes(
        torch.cat([life.observations() for life in lives]),
        torch.from_numpy(np.concatenate([np.stack(life.action) for life in lives])),
        torch.tensor([r for life in lives for r in life.reward], dtype=torch.float32),
        torch.tensor([t for life in lives for t in life.terminated], dtype=torch.bool),
        torch.tensor([len(life.action) for life in lives]),
        torch.tensor([life.over for life in lives]),
    )
    for name in ("observation", "action", "reward"):
        if not bool(getattr(episodes, name).isfinite().all()):
            raise ValueError(
                f"{spec.env_id} returned {name}s that are not finite in {steps:,} steps"
            )
    return episodes


class _Life:
    """An episode as it goes on."""

    def __init__(self, observation: Array) -> None:
        self.seen = [np.array(observation)]
        self.action: list[Array] = []
        self.reward: list[float] = []
        self.terminated: list[bool] = []
        self.over = False

    def live(self, moment: Moment, row: int) -> None:
        """Add what a row of a moment, which led on from here, has come to."""
        assert moment.action is not None
        self.seen.append(np.array(moment.observation[row]))
        self.action.append(np.array(moment.action[row]))
        self.reward.append(float(moment.reward[row]))
        self.terminated.append(bool(moment.terminated[row]))
        self.over = bool(moment.terminated[row] or moment.truncated[row])

    def observations(self) -> Tensor:
        return torch.from_numpy(np.stack(self.seen))


def _live(moments: Iterator[Moment], steps: int) -> list[_Life]:
    """Live through `steps` steps; those that ended first come first."""
    lives: dict[int, _Life] = {}
    ended: list[_Life] = []
    for moment in moments:
        for row, observation in enumerate(moment.observation):
            if moment.begins[row]:
                lives[row] = _Life(observation)
            elif steps:
                steps -= 1
                lives[row].live(moment, row)
                if lives[row].over:
                    ended.append(lives[row])
        if not steps:
            break
    return ended + [life for life in lives.values() if life.action and not life.over]


def _make(spec: WorldSpec, num_envs: int) -> VectorEnv:
    """Make copies side by side that begin the next episode in a step of its own."""
    with making(spec.env_id, spec.options):
        world = gym.make_vec(spec.env_id, num_envs, **spec.options)
    if world.metadata.get("autoreset_mode") is AutoresetMode.NEXT_STEP:
        return guarded(world)
    world.close()
    return guarded(SyncVectorEnv([spec.make] * num_envs))
