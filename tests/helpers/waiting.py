"""How often the processor waits for a GPU."""

import warnings
from contextlib import contextmanager

import torch


@contextmanager
def counted_waits():
    """Yield a list which, at the end, has a message for every wait within."""
    waits = []
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield waits
        waits += [str(one.message) for one in caught if "synchronizing CUDA" in str(one.message)]
    finally:
        torch.cuda.set_sync_debug_mode("default")
