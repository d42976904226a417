"""The log of a training, and who else is told what it holds."""

from collections.abc import Mapping
from typing import Any

from ..runs.folder import RunFolder
from ..runs.run_log import RunLog
from .tracking import Tracking


def open_log(
    run: RunFolder[Any] | None, step: int, track: Tracking | None, record: Mapping[str, Any]
) -> RunLog:
    """Return the log of a training, once who is told of it knows what is trained.

    Args:
        run: where rows are written; None: nowhere.
        step: at which the training begins, or goes on.
        track: who is told; nobody when None.
        record: what is trained, and how, where no config.json says so.
    """
    if track is not None:
        if run is not None and run.config_file.exists():
            record = run.load_config()
        track.begin(step, record)
    return RunLog(None if run is None else run.path, step, track)
