"""Which device to train on, and how many threads to use there."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import nn

from .allocator import keep_freed_memory

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


def resolve_device(name: str | torch.device = "auto") -> torch.device:
    """Return the device called `name`; `"auto"` is CUDA where there is a GPU, else the CPU.

    Raises:
        ValueError: the device is unknown, or not present on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        message = f"unknown device {name!r}: expected 'auto', 'cpu', 'cuda' or 'cuda:N'"
        raise ValueError(message) from error
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            message = f"device {name!r} is not here: torch sees {count} CUDA devices; use 'cpu'"
            raise ValueError(message)
    return device


def default_threads(module: nn.Module) -> int:
    """Return how many CPU threads pay: one for dense networks, all there are for convolutions."""
    convolves = any(isinstance(part, nn.Conv2d) for part in module.modules())
    return torch.get_num_threads() if convolves else 1


@contextmanager
def cpu_settings(threads: int) -> Iterator[None]:
    """Run torch's CPU operators and NumPy's products on `threads` threads, denormals flushed to 0.

    The thread count is part of a run's configuration: one and two threads round differently.
    Without flushing, the second moments of Adam decay into denormal numbers wherever a unit is
    dead, and its step becomes ten times slower. What a step frees is kept for the next, and
    afterwards, too.
    """
    keep_freed_memory()
    before, flushed = torch.get_num_threads(), _flushes_denormals()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    try:
        with _libraries().limit(limits=threads, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(flushed)


@cache
def _libraries() -> "ThreadpoolController":
    """Find the libraries that have threads of their own, which takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _flushes_denormals() -> bool:
    return (torch.full((1,), 1e-39) * 1.0).item() == 0.0
