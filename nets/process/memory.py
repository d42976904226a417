"""Memory that is not there: how much was asked for, in a sentence."""

import os
import re
import sys

SIZES = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
BYTES = re.compile(r"allocate (\d+) bytes")  # torch, on a processor
WRITTEN = re.compile(r"allocate ([\d.]+) ([KMGTPE]iB)")  # NumPy, and torch on a GPU


def lacks_memory(error: Exception) -> bool:
    """Whether memory was asked for that is not there; torch has no error of its own for it."""
    said = str(error)
    return isinstance(error, MemoryError) or "allocate memory" in said or "out of memory" in said


def memory_sentence(error: Exception) -> str:
    """Return how much was asked for, where the error says it."""
    said = str(error)
    if found := BYTES.search(said):
        size = _written(int(found[1]))
    elif found := WRITTEN.search(said):
        size = f"{float(found[1].rstrip('.')):g} {found[2]}"
    else:
        size = "more than there is"
    remedy = "expected smaller layers, batches or pictures, or less to remember"
    return f"not enough memory: {size} asked for at once, {remedy}"


def within_memory(said: str, count: int, size: int) -> int:
    """Return a count of things that are held at once, if this machine's whole memory holds them.

    Args:
        said: how a refusal begins.
        count: how many.
        size: bytes of each.

    Raises:
        ValueError: it does not.
    """
    most = _whole_memory() // max(size, 1)
    if count > most:
        raise ValueError(f"{said}: expected at most {most:,}, as many as memory holds")
    return count


def _whole_memory() -> int:
    """Return this machine's memory in bytes; without an end where it does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not of POSIX
        return sys.maxsize


def _written(count: float) -> str:
    size = SIZES[0]
    for larger in SIZES[1:]:
        if count < 1024:
            break
        count, size = count / 1024, larger
    return f"{count:.3g} {size}"
