"""What a run keeps beside its checkpoints: the rows that an agent learns from again and again."""

from collections.abc import Mapping
from typing import Any, Protocol

from nets.runs.checkpoint import CheckpointError


class Replay(Protocol):
    """Rows in the order in which they came; each segment of a run writes its own as a shard."""

    rows: int
    """How many there have been."""

    @property
    def capacity(self) -> int:
        """How many of the last rows are learned from."""

    def shard(self) -> dict[str, Any] | None:
        """Return the rows since the last call, and the number of the `first_row`; None: never any.

        Rows are tensors.
        """

    def load_shard(self, shard: Mapping[str, Any]) -> None:
        """Append rows that `shard` returned in an earlier process; shards come in their order.

        Raises:
            CheckpointError: a shard is missing, or does not fit.
        """


class NoReplay:
    """The replay of agents that learn from what has just been."""

    rows = capacity = 0

    def shard(self) -> None:
        """Return None."""

    def load_shard(self, shard: Mapping[str, Any]) -> None:
        """Refuse.

        Raises:
            CheckpointError: always.
        """
        raise CheckpointError(f"the agent has no replay to load {sorted(shard)} into")
