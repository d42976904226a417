"""Several processes that train one model: those that `torchrun` started, or this one alone.

Each process takes its rows of every batch; gradients are averaged, so that all take the step that
one process would take on the joint batch. Only the first reads and writes files.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from .device import resolve_device
from .interrupts import noted

Value = TypeVar("Value")


@dataclass(frozen=True)
class Team:
    """This process among those that train together; by default it is alone.

    Attributes:
        rank: its number.
        size: how many there are.
        asked: what signals that came would have done; see `heed`.
    """

    rank: int = 0
    size: int = 1
    asked: Sequence[Callable[[], object]] = ()

    @property
    def leads(self) -> bool:
        """Whether this process is the one that reads and writes files."""
        return self.rank == 0

    def share(self, rows: Tensor) -> Tensor:
        """Return this process's part `[B / size]` of the rows `[B]` of a joint batch.

        Raises:
            ValueError: they cannot be dealt evenly.
        """
        if len(rows) % self.size:
            message = f"a batch of {len(rows)} rows cannot be dealt evenly"
            raise ValueError(f"{message} to {self.size} processes")
        return rows.chunk(self.size)[self.rank]

    def parallel(self, module: nn.Module) -> nn.Module:
        """Return `module` with gradients that are averaged over the processes."""
        return module if self.size == 1 else DistributedDataParallel(module)

    def part(self, rows: int) -> slice:
        """Return which of `rows` rows are this process's: as many as the others', or fewer."""
        most = -(-rows // self.size)
        return slice(min(self.rank * most, rows), min((self.rank + 1) * most, rows))

    def joined(self, mine: Tensor, rows: int) -> Tensor:
        """Return all `rows` rows `[rows, *]`, of which `mine` is this process's part."""
        if self.size == 1:
            return mine
        most = -(-rows // self.size)
        sent = mine.new_zeros(most, *mine.shape[1:])
        sent[: len(mine)] = mine
        found = [torch.empty_like(sent) for _ in range(self.size)]
        dist.all_gather(found, sent)
        return torch.cat(found)[:rows]

    def total_(self, x: Tensor) -> Tensor:
        """Make `x` the sum of the processes' `x`; return it."""
        if self.size > 1:
            dist.all_reduce(x)
        return x

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean of the processes' `x`."""
        return x if self.size == 1 else self.total_(x.clone()) / self.size

    def heed(self, device: torch.device) -> None:
        """Stop all processes at the same moment, where one has been asked to stop.

        Raises:
            KeyboardInterrupt: one has been.
        """
        asked = float(len(self.asked))
        if self.size > 1:
            asked = self.mean(torch.tensor(asked, device=device)).item()
        if asked > 0:
            if self.asked:
                self.asked[0]()
            raise KeyboardInterrupt

    def tell(self, value: Value) -> Value:
        """Return the first process's `value`, in all of them."""
        if self.size == 1:
            return value
        told = [value]
        dist.broadcast_object_list(told)
        return told[0]


ALONE = Team()


@contextmanager
def team(device: str = "auto") -> Iterator[tuple[Team, torch.device]]:
    """Join the processes that `torchrun` started with this one; yield them, and its device.

    What would stop one of several processes waits until they all `heed` it.

    On CUDA every process takes the GPU of its local rank, and they talk through NCCL; on the CPU
    through gloo.

    Raises:
        ValueError: the device is unknown, or not present on this machine; or the variables by which
            processes are told of each other make no sense.
    """
    told = "MASTER_ADDR" in os.environ  # else WORLD_SIZE is another program's
    size, rank = (_told("WORLD_SIZE", 1), _told("RANK", 0)) if told else (1, 0)
    here = resolve_device(device)
    if size == 1:
        yield ALONE, here
        return
    if here.type == "cuda":
        here = resolve_device(f"cuda:{os.environ['LOCAL_RANK']}")
        torch.cuda.set_device(here)
    dist.init_process_group("nccl" if here.type == "cuda" else "gloo")
    try:
        with noted() as asked:
            yield Team(rank, size, asked), here
            dist.barrier()  # nobody leaves while another is still talking
    finally:
        dist.destroy_process_group()


def _told(name: str, least: int) -> int:
    """Return the number that a variable of the environment holds, by default the least."""
    text = os.environ.get(name, str(least))
    if not text.isdecimal() or int(text) < least:
        raise ValueError(f"the environment's {name} is {text!r}: expected at least {least}")
    return int(text)
