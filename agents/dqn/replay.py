"""Memories of experience: an append-only replay ring."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor

from nets.glance import Shown

from ..loop.experience import Array
from ..loop.shards import Replay
from .frames import Frames, Pictures
from .rows import MaskedRows, Minibatches, Rows

if TYPE_CHECKING:
    from .sequences import MaskedSequences, Sequences

    Kind = Rows | MaskedRows | Sequences | MaskedSequences


class Sampler(Protocol):
    """Decides which places of a replay buffer are drawn."""

    def add(self, places: Array) -> None:
        """Take notice of new rows at `places` `[M]`."""

    def draw(
        self, rng: np.random.Generator, shape: tuple[int, int], live: int, correction: float
    ) -> tuple[Array, Array]:
        """Return places `[K, B]` below `live`, and their weights in a mean, at most 1."""

    def renew(self, places: Array, error: Tensor) -> None:
        """Learn how wrong the predictions at `places` `[K, B]` were, `error` `[K, B]`."""

    def clear(self) -> None:
        """Forget all rows."""

    def state_dict(self) -> dict[str, Any]:
        """What draws depend on."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""


class Uniform:
    """Draws all places alike, with replacement."""

    def add(self, places: Array) -> None:
        """Nothing to remember."""

    def draw(
        self, rng: np.random.Generator, shape: tuple[int, int], live: int, correction: float
    ) -> tuple[Array, Array]:
        """Return places `[K, B]` below `live`, and weights of 1."""
        return rng.integers(live, size=shape), np.ones(shape, np.float32)

    def renew(self, places: Array, error: Tensor) -> None:
        """Nothing to remember; the errors stay on their device."""

    def clear(self) -> None:
        """Nothing to forget."""

    def state_dict(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing."""


class ReplayBuffer(Shown, Replay):
    """The last rows, as many as there is memory for.

    Row number r (counted from the first ever) lies at place r mod capacity, so a buffer rebuilt
    from the shards of earlier segments equals the original.

    Args:
        memory: arrays `[capacity, *]`, one for each field of a row.
        sampler: draws places; uniformly by default.
    """

    def __init__(self, memory: "Kind", sampler: Sampler | None = None) -> None:
        self.capacity = len(memory.reward)
        if self.capacity < 1:
            raise ValueError(f"replay capacity is {self.capacity}: expected at least 1")
        self.sampler = Uniform() if sampler is None else sampler
        self._fields = memory

    @property
    def facts(self) -> dict[str, Any]:
        """How many rows it holds, of how many it could, and how they are drawn."""
        drawn = type(self.sampler).__name__.lower()
        return {"rows": len(self), "capacity": self.capacity, "drawn": drawn}

    def __len__(self) -> int:
        return min(self.rows, self.capacity)

    def append(self, rows: "Kind") -> None:
        """Remember M ≤ capacity rows, forgetting the oldest when full."""
        if not self.rows:
            self.sampler.clear()
        self.sampler.add(self._write(rows))

    def _write(self, rows: "Kind") -> Array:
        """Write rows, and return their places."""
        count, start = len(rows.reward), self.rows % self.capacity
        places = np.arange(start, start + count)
        index: slice | Array = slice(start, start + count)
        if start + count > self.capacity:
            index = places = places % self.capacity
        for field, values in zip(self._fields, rows, strict=True):
            field[index] = values
        self.rows += count
        return places

    def sample(
        self,
        rng: np.random.Generator,
        batches: int,
        batch_size: int,
        correction: float = 1.0,
    ) -> tuple[Minibatches, Array]:
        """Draw `batches` minibatches of `batch_size` rows.

        Args:
            rng: gives the draws.
            batches: K.
            batch_size: B.
            correction: how far weights make up for unequal draws, in [0, 1].

        Returns:
            The minibatches, and the places they came from, `[K, B]`.

        Raises:
            ValueError: nothing has been remembered yet.
        """
        if not self.rows:
            raise ValueError("cannot sample from an empty replay buffer")
        places, weight = self.sampler.draw(rng, (batches, batch_size), len(self), correction)
        rows = (torch.from_numpy(field.take(places, axis=0)) for field in self._fields)
        return type(self._fields)(*rows).batch(torch.from_numpy(weight) / batch_size), places

    @property
    def _pictures(self) -> dict[str, Pictures]:
        fields = self._fields._asdict().items()
        return {name: field for name, field in fields if isinstance(field, Pictures)}

    def clear(self) -> None:
        """Forget all rows, and give the memory of pictures back."""
        super().clear()
        for pictures in self._pictures.values():
            pictures.clear()

    def read_rows(self, first: int) -> dict[str, Any]:
        """Return the rows from number `first` on, column by column.

        Of pictures columns have the numbers of frames, and `shared` has each of these once.
        """
        index = np.arange(first, self.rows) % self.capacity
        columns = {name: field[index] for name, field in self._fields._asdict().items()}
        shared: dict[str, Any] = {}
        if self._pictures:
            columns, frames = _frames(self._pictures).number(columns)
            shared = {"shared": {"frames": frames}}
        return {name: torch.from_numpy(column) for name, column in columns.items()} | shared

    def write_rows(self, columns: Mapping[str, Any]) -> None:
        """Append rows that `read_rows` returned; the sampler remembers them already.

        Pictures may also be there as they are.
        """
        kind = type(self._fields)
        arrays = {name: columns[name].numpy() for name in kind._fields}
        pictures = self._pictures
        if pictures and "shared" in columns:
            numbers = {name: arrays[name] for name in pictures}
            arrays |= _frames(pictures).recall(numbers, columns["shared"]["frames"])
        self._write(kind(**arrays))


def _frames(pictures: Mapping[str, Pictures]) -> Frames:
    """Return the frames that all columns of pictures share."""
    return next(iter(pictures.values())).frames
