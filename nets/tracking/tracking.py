"""A training that is told of elsewhere, and that never ends because nobody listens."""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..arguments import named
from ..glance import Shown
from ..runs.checkpoint import CheckpointError, load_object, save_json
from ..runs.durable import as_path
from ..runs.places import FOLDER
from ..runs.records import SEAL
from ..settings import to_plain
from ..warned import warn
from .names import TrackerName, require_tracker
from .tracker import Begun, Plain, Tracker, open_tracker

IDS = "tracking.json"
PRIVATE = (FOLDER, SEAL)
"""Of a run's record: of this machine, and of the file."""


class Tracking(Shown):
    """Tells TensorBoard, W&B or MLflow of a training: settings, rows, pictures, results.

    A tracker that fails costs the tracking, with a warning, and not the training. By what id the
    tracker knows the training is kept in the folder, as `tracking.json`: a training that goes on
    there goes on in the same tracked run.

    Args:
        by: `"tensorboard"`, `"wandb"` or `"mlflow"`; whom and where they tell is set by their own
            environment variables.
        folder: of the run; where there is none, one for what the tracker writes here.
        name: what W&B and MLflow call the run; by default the folder's.

    Raises:
        ValueError: there is no such tracker.
        ModuleNotFoundError: it is not installed; the extra is named.
        CheckpointError: the folder's `tracking.json` is damaged.
    """

    @named
    def __init__(self, by: TrackerName, folder: str | Path, name: str = "") -> None:
        require_tracker(by)
        self.by, self.folder = by, as_path(folder).absolute()
        self.name = name or self.folder.name
        self._step = 0
        self._tracker: Tracker | None = None
        self._failed = False
        self._ids = _known_ids(self.folder / IDS)

    @property
    def facts(self) -> dict[str, Any]:
        """Whom it tells, of what, and where that is found."""
        told = {"by": self.by, "folder": str(self.folder), "name": self.name}
        return told | {"where": self.where}

    def begin(self, step: int, record: Mapping[str, Any]) -> None:
        """Tell that a training begins, or goes on.

        Args:
            step: at which.
            record: what is trained, and how, as config.json has it.
        """
        with self._surviving():
            if self._tracker is None and not self._failed:
                self.folder.mkdir(parents=True, exist_ok=True)
                begun = Begun(self.folder, self._ids.get(self.by), step, self.name)
                self._tracker = open_tracker(self.by, begun)
                if self._tracker.id is not None:
                    self._ids[self.by] = self._tracker.id
                    save_json(self.folder / IDS, self._ids)
            if self._tracker is not None:
                self._step = step
                kept = {name: value for name, value in record.items() if name not in PRIVATE}
                self._tracker.settings(dict(_flat(to_plain(kept))))

    @property
    def where(self) -> str | None:
        """Where people find the training; None before it has begun, or where tracking has ended."""
        return None if self._tracker is None else self._tracker.where

    def scalars(self, step: int, metrics: Mapping[str, float]) -> None:
        """Tell a row of numbers; what is not finite is left out."""
        with self._surviving():
            if self._tracker is not None:
                self._step = step
                self._tracker.scalars(step, _finite(metrics))

    def pictures(self, step: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        """Show pictures `[H, W, 3]`."""
        with self._surviving():
            if self._tracker is not None and pictures:
                self._tracker.pictures(step, pictures)

    def results(self, figures: Mapping[str, float]) -> None:
        """Tell what came out in the end."""
        with self._surviving():
            if self._tracker is not None:
                self._tracker.results(self._step, _finite(figures))

    def media(self, *files: Path) -> None:
        """Show those of these pictures and animations that are there."""
        for file in filter(Path.is_file, files):
            with self._surviving():
                if self._tracker is not None:
                    self._tracker.media(self._step, file)

    def close(self) -> None:
        """Tell the rest; harmless when nothing was told."""
        with self._surviving():
            tracker, self._tracker = self._tracker, None
            if tracker is not None:
                tracker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """End the tracking, with a warning, where the tracker fails."""
        try:
            yield
        except Exception as error:
            self._tracker, self._failed = None, True
            said = " ".join(str(error).split()) or type(error).__name__
            warn(f"tracking by {self.by} ends, training goes on: {said}")


def _known_ids(file: Path) -> dict[str, str]:
    """Return by which ids trackers know the run of a folder."""
    if not file.is_file():
        return {}
    ids = load_object(file)
    for name, known in ids.items():
        if not isinstance(known, str) or not re.fullmatch(r"[\w-]{1,64}", known):
            raise CheckpointError(f"{file} does not fit: {name} is no id of a tracked run")
    return ids


def _flat(tree: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Plain]]:
    """Yield the leaves of nested settings, their names joined with dots; others as text."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{within}{name}.")
        elif value is not None:
            yield f"{within}{name}", value if isinstance(value, Plain) else str(value)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
