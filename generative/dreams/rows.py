"""N dreams side by side, each what it would be alone."""

from collections.abc import Sequence
from contextlib import closing
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from nets.foreign import blaming
from nets.process import counters

from ..worlds.blocks import in_blocks
from ..worlds.contract import State, Step
from ..worlds.world import World

Starts = Literal["first", "any", "real"]
STARTS = get_args(Starts)


class Dreams:
    """N dreams of one world.

    All chance is counter-based (`nets.process.counters`): dream k of seed s is the dream of seed
    s + k, whatever is dreamed beside it; on the CPU bit for bit.

    Args:
        world: what is dreamed of.
        count: N.
        starts: at the first observations of real episodes, at any, or at the one that the real
            world itself shows for the seed.

    Attributes:
        observation: what the dreams show now, `[N, *]`.
        real_seeds: with which seed the real world began where each dream did, if it was asked.

    Raises:
        ValueError: there is no such kind of starts.
    """

    def __init__(self, world: World, count: int, starts: Starts = "first") -> None:
        if starts not in STARTS:
            raise ValueError(f"starts is {starts!r}: expected one of {', '.join(STARTS)}")
        self.world, self.count, self.starts = world, count, starts
        device = world.device
        self._stream = torch.zeros(count, dtype=torch.int64, device=device)
        self._counter = torch.zeros_like(self._stream)
        self.real_seeds = [0] * count
        self._given: list[int | None] = [None] * count  # seeds whose first dream is to come
        self.observation = torch.zeros(count, *world.spec.shape, dtype=world.spec.dtype)
        self.observation = self.observation.to(device)
        self._state: State = ()

    def seed(self, row: int, seed: int) -> None:
        """Let the next beginning of a row be the first of a seed."""
        self._stream[row] = counters.roots(torch.tensor(seed, device=self.world.device))
        self._given[row] = seed

    def begin(self, rows: Sequence[int]) -> None:
        """Begin the next dream in these rows."""
        index = torch.tensor(rows, device=self.world.device)
        stream = self._stream[index] + counters.GOLDEN
        counter = counters.mix(stream)
        self._stream[index], self._counter[index] = stream, counter
        draws = self.world.dynamics.draws
        observation = self._first(rows, counter, draws)
        state = in_blocks(self.world.begin, observation, _noise(counter, draws))
        self.observation[index] = observation
        if len(rows) == self.count:
            self._state = state
            return
        for column, fresh in zip(self._state, state, strict=True):
            column[index] = fresh

    def step(self, action: Tensor) -> Step:
        """Dream one step on; the actions `[N, *]` are on the world's device."""
        self._counter += counters.GOLDEN
        noise = _noise(self._counter, self.world.dynamics.draws)

        def step(*columns: Tensor) -> tuple[Tensor, ...]:
            *state, action, noise = columns
            after, *seen = self.world.step(tuple(state), action, noise)
            return *after, *seen

        *state, observation, reward, terminated = in_blocks(step, *self._state, action, noise)
        self._state, self.observation = tuple(state), observation
        return Step(self._state, observation, reward, terminated)

    def _first(self, rows: Sequence[int], counter: Tensor, draws: int) -> Tensor:
        """Return the first observations `[K, *]` of dreams in these rows."""
        if self.starts != "real":
            known = self.world.starts if self.starts == "first" else self.world.anywhere
            return known[counters.below(counter, len(known), draws)]
        for row, later in zip(rows, (counter >> 33).tolist(), strict=True):
            given, self._given[row] = self._given[row], None
            self.real_seeds[row] = later & (2**31 - 1) if given is None else given
        return real_starts(self.world, [self.real_seeds[row] for row in rows])


def real_starts(world: World, seeds: Sequence[int]) -> Tensor:
    """Return what the real world shows first for each seed, `[K, *]`."""
    spec = world.spec
    with closing(spec.make()) as env:
        shown = []
        for seed in seeds:
            with blaming(f"the environment {env}, in its reset"):
                shown.append(torch.as_tensor(np.array(env.reset(seed=seed)[0]), dtype=spec.dtype))
    return torch.stack(shown).to(world.device)


def _noise(counter: Tensor, draws: int) -> Tensor:
    return counters.uniforms(counter, draws).float()
