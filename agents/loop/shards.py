"""What a run keeps beside its checkpoints: the rows that an agent learns from again and again."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from nets.runs.checkpoint import CheckpointError, Damaged

ALL = 2**62
"""The capacity of a replay that forgets nothing."""


class Replay(ABC):
    """Rows in the order in which they came; each segment of a run writes its own as a shard.

    A shard is columns of rows, as tensors, and the number of its `first_row`, counted from the
    first row ever. What several rows have in common may lie beside the columns, as `shared`.

    Attributes:
        rows: how many there have been.
        capacity: how many of the last rows are learned from.
    """

    rows: int = 0
    capacity: int
    _sharded: int = 0

    @abstractmethod
    def read_rows(self, first: int) -> dict[str, Any]:
        """Return the rows from number `first` on, column by column."""

    @abstractmethod
    def write_rows(self, columns: Mapping[str, Any]) -> None:
        """Append rows that `read_rows` returned.

        Raises:
            KeyError, ValueError, IndexError: they do not fit.
        """

    def clear(self) -> None:
        """Forget all rows."""
        self.rows = self._sharded = 0

    def shard(self) -> dict[str, Any] | None:
        """Return the rows since the last call that are not forgotten; None: never any."""
        first = max(self._sharded, self.rows - self.capacity)
        self._sharded = self.rows
        return {"first_row": first, **self.read_rows(first)}

    def load_shard(self, shard: Mapping[str, Any]) -> None:
        """Append rows that `shard` returned in an earlier process; shards come in their order.

        Where rows are forgotten the first shard may be a later one.

        Raises:
            Damaged: a shard is missing.
            CheckpointError: it does not fit; in that case all are forgotten.
        """
        first = shard["first_row"]
        if first != self.rows and (self.rows or self.capacity == ALL):
            message = f"replay shard begins at row {first}, expected {self.rows}"
            raise Damaged(message)
        self.rows = first
        try:
            self.write_rows(shard)
        except (KeyError, ValueError, IndexError) as error:
            self.clear()
            raise CheckpointError(f"replay shard does not fit this agent: {error}") from error
        self._sharded = self.rows


class NoReplay(Replay):
    """The replay of agents that learn from what has just been."""

    capacity = 0

    def read_rows(self, first: int) -> dict[str, Tensor]:
        """Return nothing."""
        return {}

    def write_rows(self, columns: Mapping[str, Tensor]) -> None:
        """Refuse."""
        raise ValueError("it has no replay")

    def shard(self) -> None:
        """Return None."""
