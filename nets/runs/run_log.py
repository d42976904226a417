"""What a training writes while it runs: rows of metrics.csv, and TensorBoard events."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..process.interrupts import uninterrupted
from ..warned import warn
from .durable import naming, sync
from .logs import TensorBoard
from .metrics import Mark, MetricsFile


class Listener(Protocol):
    """Who else is told, as `nets.tracking.Tracking` is."""

    @property
    def by(self) -> str:
        """What it is called."""
        ...

    def scalars(self, step: int, metrics: Mapping[str, float]) -> None:
        """Take a row."""

    def pictures(self, step: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        """Take pictures `[H, W, 3]`."""


class RunLog:
    """The log of a run folder, `metrics.csv` and `events.*`; of no folder, nothing.

    Ctrl-C waits for whole rows.

    Args:
        folder: of the run; None: nothing is written.
        resume_step: what an earlier process wrote past it goes.
        track: who is told the same; nobody when None.
    """

    def __init__(
        self, folder: Path | None = None, resume_step: int = 0, track: Listener | None = None
    ) -> None:
        self._file, self._board, self._track = None, None, track
        if folder is not None:
            self._events = folder / "events.*"
            self._file = MetricsFile(folder / "metrics.csv", resume_step)
            if track is not None and track.by == "tensorboard":
                return  # events are written once
            if os.fsencode(folder) == str(folder).encode(errors="replace"):
                self._board = TensorBoard(folder, resume_step)
            else:
                message = "TensorBoard's writer takes file names for UTF-8, here they are"
                warn(f"{message} {sys.getfilesystemencoding()}: no events")

    def write(self, step: int, row: Mapping[str, float], timed: Mapping[str, float]) -> None:
        """Write a row; what was `timed` differs from run to run, and goes to TensorBoard alone."""
        if self._file is not None:
            with uninterrupted():
                with naming(self._file.path):
                    self._file.write(step, row)
                if self._board is not None:
                    with naming(self._events):
                        self._board.scalars(step, {**row, **timed})
        if self._track is not None:
            self._track.scalars(step, {**row, **timed})

    def pictures(self, step: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        """Write pictures `[H, W, 3]`."""
        if self._board is not None:
            with uninterrupted(), naming(self._events):
                self._board.pictures(step, pictures)
        if self._track is not None:
            self._track.pictures(step, pictures)

    def mark(self) -> Mark | None:
        """Return what a checkpoint is to remember of the rows before it."""
        return None if self._file is None else self._file.mark()

    def flush(self) -> None:
        """Wait until rows are on the device, events in their file: a checkpoint counts on them."""
        if self._file is not None:
            sync(self._file.path)
        if self._board is not None:
            with uninterrupted(), naming(self._events):
                self._board.flush()

    def close(self) -> None:
        """Close the files; harmless when nothing was written."""
        if self._board is not None:
            with uninterrupted(), naming(self._events):
                self._board.close()
