"""Warnings in a shell: one line each, without the place in the code that they came from."""

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .here import as_seen

COLOURS = re.compile(r"\x1b\[[\d;]*m")


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Write warnings as `warning: ...`, until the block ends."""
    before, warnings.formatwarning = warnings.formatwarning, _plain
    try:
        yield
    finally:
        warnings.formatwarning = before


def _plain(message: Warning | str, *_: Any, **__: Any) -> str:
    _clear_bars()
    said = COLOURS.sub("", str(message)).removeprefix("WARN: ")  # Gymnasium's begin so
    return f"warning: {as_seen(' '.join(said.split()))}\n"


def _clear_bars() -> None:
    """Take bars of progress off the line that is written next; they come back by themselves."""
    bars = getattr(sys.modules.get("tqdm"), "tqdm", None)
    for bar in list(getattr(bars, "_instances", ())):
        bar.clear()
