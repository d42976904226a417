"""Environments that several processes step together, each its share: all of them see all steps."""

from typing import TYPE_CHECKING

import numpy as np
import torch

from nets.process.distributed import Team

from .door import Array
from .stepping import Step, Stepper

if TYPE_CHECKING:
    from .source import EnvSource


class TeamStepper:
    """N environments, of which every process of a team steps N / P.

    What one of them gave is told to all, so that each goes on as if it had stepped the N alone; and
    environment k is seeded as it would be then.

    Args:
        source: makes this process's share of the N environments, a multiple of P.
        team: the processes.
        masks: whether to read which actions the environments allow.
    """

    def __init__(self, source: "EnvSource", team: Team, *, masks: bool = False) -> None:
        self.num_envs, self.team = source.num_envs or 1, team
        self._mine = team.part(self.num_envs)
        self._own: Stepper = source.stepper(self.num_envs // team.size, masks=masks)
        self.mask: Array | None = None

    def reset(self, seed: int, steps: int = 0) -> Array:
        """Reset all environments, number k with `seed + k`; `[N, *observation]`."""
        observation = self._own.reset(seed + self._mine.start, steps)
        told, self.mask = self._told((observation, self._own.mask))
        assert told is not None
        return told

    def step(self, action: Array) -> Step:
        """Step all environments by their actions `[N, *action]`."""
        step = self._own.step(action[self._mine])
        *fields, self.mask = self._told((*step, self._own.mask))
        return Step(*fields)  # type: ignore[arg-type]  # what must be there is there

    def close(self) -> None:
        """Release the environments."""
        self._own.close()

    def _told(self, mine: tuple[Array | None, ...]) -> list[Array | None]:
        """Return arrays `[N, *]` of all, given this process's `[N / P, *]`, in one message."""
        arrays = [None if array is None else np.ascontiguousarray(array) for array in mine]
        sent = np.concatenate([a.reshape(-1).view(np.uint8) for a in arrays if a is not None])
        there = self.team.joined(torch.from_numpy(sent)[None], self.team.size).numpy()  # [P, bytes]
        told: list[Array | None] = []
        begin = 0
        for array in arrays:
            if array is None:
                told.append(None)
                continue
            part = np.ascontiguousarray(there[:, begin : begin + array.nbytes])
            told.append(part.view(array.dtype).reshape(self.num_envs, *array.shape[1:]))
            begin += array.nbytes
        return told
