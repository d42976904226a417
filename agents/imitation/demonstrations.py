"""What an expert did, row by row, and how often it would have done otherwise."""

from collections.abc import Mapping
from contextlib import closing

import numpy as np
import torch
from torch import Tensor

from nets.process.seeding import seeded

from ..environments.source import EnvSource
from ..loop.actor import Actor
from ..loop.experience import Array
from ..loop.shards import ALL, Replay

COLUMNS = ("observation", "action", "episode")


class Demonstrations(Replay):
    """Observations, the expert's actions, and the numbers of the episodes that they are from."""

    capacity = ALL

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all rows."""
        super().clear()
        self.episodes = 0
        self._parts: list[tuple[Array, ...]] = []

    def append(self, observation: Array, action: Array, episode: Array) -> None:
        """Add N rows: `[N, *observation]`, `[N]`, `[N]`; they are copied."""
        self._parts.append((observation.copy(), action.copy(), episode.copy()))
        self.rows += len(action)
        self.episodes = max(self.episodes, int(episode.max(initial=-1)) + 1)

    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return observations, actions and episodes of all rows, `[rows, ...]` each."""
        columns = tuple(np.concatenate(column) for column in zip(*self._parts, strict=True))
        self._parts = [columns]
        observation, action, episode = map(torch.from_numpy, columns)
        return observation, action.long(), episode

    def read_rows(self, first: int) -> dict[str, Tensor]:
        """Return the rows from number `first` on, column by column."""
        new = (column[first:].clone() for column in self.tensors())
        return dict(zip(COLUMNS, new, strict=True))

    def write_rows(self, columns: Mapping[str, Tensor]) -> None:
        """Append rows that `read_rows` returned."""
        self.append(*(columns[name].numpy() for name in COLUMNS))


def disagreement(
    clone: Actor,
    expert: Actor,
    source: EnvSource,
    *,
    steps: int = 1000,
    num_envs: int = 10,
    seed: int = 0,
    masks: bool = False,
) -> float:
    """Return the share of steps on which the expert would not have done what the clone does.

    The clone acts, greedily; the expert sees what the clone sees, from the beginning of each
    episode on, and says what it would do.

    Args:
        clone: who acts.
        expert: who looks on; discrete actions, as the clone's.
        source: of fresh environments.
        steps: how many, in all environments.
        num_envs: environments side by side.
        seed: of the environments.
        masks: whether the two are told which actions are allowed.
    """
    wrong = seen = 0
    with seeded(seed), closing(source.stepper(num_envs, masks=masks)) as stepper:
        observation, start = stepper.reset(seed), np.ones(stepper.num_envs, bool)
        own = other = None  # states of the two
        while seen < steps:
            allowed = () if stepper.mask is None else (stepper.mask,)
            action, own = clone.predict(observation, own, start, True, *allowed)
            right, other = expert.predict(observation, other, start, True, *allowed)
            step = stepper.step(action)
            wrong += int((np.asarray(action != right) & step.valid).sum())
            seen += int(step.valid.sum())
            observation = step.observation
            start = step.terminated | step.truncated | ~step.valid
    return wrong / seen
