"""Which device to train on, and how many threads to use there."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def resolve_device(name: str | torch.device = "auto") -> torch.device:
    """Return the device called `name`; `"auto"` is CUDA where there is a GPU, else the CPU.

    Raises:
        ValueError: the device is unknown, or not present on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        message = f"unknown device {name!r}: expected 'auto', 'cpu', 'cuda' or 'cuda:N'"
        raise ValueError(message) from error
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            message = f"device {name!r} is not here: torch sees {count} CUDA devices; use 'cpu'"
            raise ValueError(message)
    return device


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Run torch's CPU operators on `count` threads inside the block.

    The count is part of a run's configuration: one and two threads round differently.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
