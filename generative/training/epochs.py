"""Which rows are in which batch: epochs without repetition, each a function of the seed."""

import torch
from torch import Tensor

from nets.process.seeding import hash31

from ..data.dataset import shuffled


class Epochs:
    """An endless sequence of batches of row numbers; the k-th depends on the seed and k alone.

    In every epoch the rows are shuffled anew and dealt without repetition. Rows that do not fill a
    batch sit the epoch out, so that all batches have one size: `batch_size`, or all rows where
    there are fewer.

    Args:
        rows: of the data, N.
        batch_size: rows of a batch.
        seed: of all epochs.
        device: where the numbers are wanted; they travel there once an epoch.
    """

    def __init__(
        self, rows: int, batch_size: int, seed: int, device: torch.device | str = "cpu"
    ) -> None:
        self.rows, self.seed, self.device = rows, seed, device
        self.batch_size = min(batch_size, rows)
        self.batches = rows // self.batch_size
        self._epoch = -1
        self._order: Tensor

    def __getitem__(self, k: int) -> Tensor:
        """Return the row numbers of batch k, `[batch_size]` int64."""
        epoch, position = divmod(k, self.batches)
        if epoch != self._epoch:
            self._epoch = epoch
            order = shuffled(self.rows, hash31(self.seed, "epoch", epoch))
            self._order = order.to(self.device)
        start = position * self.batch_size
        return self._order[start : start + self.batch_size]
