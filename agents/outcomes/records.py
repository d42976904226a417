"""What came out of a comparison's runs, as their files hold it."""

from numbers import Real
from pathlib import Path
from typing import Any

from nets.benchmarks.quality import read_record
from nets.runs.checkpoint import CheckpointError
from nets.runs.shapes import require_form

Record = dict[str, Any]
FORM = {
    "experiment": str,
    "seed": int,
    "seconds": Real,
    "config": {"env": str, "steps": int, "settings": dict},
    "result": {
        "figure": Real,
        "step": int,
        "steps_per_second": Real,
        "curve": {"step": [Real], "return": [Real], "std": [Real]},
    },
}


def read_finished(file: Path) -> Record | None:
    """Return a run's record; None where there is none, or only a part of one.

    Raises:
        CheckpointError: it says something else than what a run leaves.
    """
    record = read_record(file)
    if record is not None:
        require_form(file, record, FORM)
        lengths = {len(points) for points in record["result"]["curve"].values()}
        if len(lengths) != 1 or 0 in lengths:
            raise CheckpointError(f"{file} does not fit: its curve has columns of {lengths} points")
    return record
