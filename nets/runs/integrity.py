"""Whether a run's folder is whole: every file as it was written, and all of one run."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from .changes import config_at
from .checkpoint import CheckpointError, load_checkpoint
from .checkpoints import Checkpoints
from .finding import neighbour
from .fingerprints import source
from .metrics import check_rows
from .ownership import require_free
from .places import FOLDER, found_again
from .records import CHANGES, SEAL, differences, lasting, load_record, record_of
from .shapes import require_shapes

ELSEWHERE = ("versions", "processor")
"""What changes when a run is gone on with on another machine."""
NEEDED = ("config", "run", "seed")
"""What every config.json says."""


def run_folders(folder: Path) -> list[Path]:
    """Return `folder` if it is a run, else the runs below it.

    Raises:
        FileNotFoundError: there are none.
    """
    if (folder / "config.json").exists():
        return [folder]
    found = sorted(file.parent for file in folder.rglob("config.json"))
    if not found:
        raise FileNotFoundError(
            f"{folder} is not a run folder, and there is none below{neighbour(folder)}"
        )
    return found


def problems(run: Path) -> Iterator[str]:
    """Tell what is wrong with a run's folder; nothing is changed, and nothing written.

    Raises:
        Occupied: somebody trains there, or has begun to meanwhile.
    """
    require_free(run)
    found = list(_problems(run))
    require_free(run)
    yield from found


def _problems(run: Path) -> Iterator[str]:
    files, record = Checkpoints(run), dict[str, Any]()
    try:
        record = record_of(files)
        yield from _lacks(files.config, record)
    except CheckpointError as error:
        yield str(error)
    shards: dict[int, int] = {}  # first row: rows
    for file in files.shards():
        try:
            shard = load_checkpoint(file)
            lengths = [len(c) for c in shard.values() if isinstance(c, Tensor) and c.dim()]
            shards[int(file.stem)] = max(lengths, default=0)
            if shard.get("first_row") != int(file.stem):
                yield f"{file} begins at row {shard.get('first_row')}"
            yield from _disagreements(record, file, {"record": shard.get("record")})
        except CheckpointError as error:
            yield str(error)
    resumable = files.list()
    for file in filter(Path.exists, files.all()):
        if file.parent == files.replay:
            continue
        try:
            state = load_checkpoint(file)
            require_shapes(file, state)
            yield from _disagreements(record, file, state)
            if file in resumable:
                yield from _misplaced(file, state)
                yield from _losses(run, file, state, shards)
        except CheckpointError as error:
            yield str(error)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            yield f"{file} does not fit: {type(error).__name__}: {error}"
    yield from _evaluation(files, SEAL in record)
    yield from _experience(run, record)


def _lacks(file: Path, record: Mapping[str, Any]) -> Iterator[str]:
    """Say what a description of a run lacks."""
    for name in NEEDED:
        if name not in record:
            yield f"{file} has no {name}"


def _misplaced(file: Path, state: Mapping[str, Any]) -> Iterator[str]:
    """Compare the step that a checkpoint is called by with its own."""
    step = state.get("steps", state.get("step"))
    if step != int(file.stem):
        yield f"{file} is of step {step}"


def _disagreements(
    record: Mapping[str, Any], file: Path, state: Mapping[str, Any]
) -> Iterator[str]:
    """Compare config.json with what a checkpoint says of itself, and of config.json."""
    run = file.absolute().parent.parent
    described = {name: value for name, value in record.items() if name not in ELSEWHERE}
    if CHANGES in record:
        step = state.get("steps", 0)
        described["config"] = config_at(record, step)
        if file.stem == "interrupted" and differences(described, state, file.name):
            described["config"] = config_at(record, step + 1)  # just after they had changed
    for here, there in ((described, state), (lasting(record), state.get("record") or {})):
        common = {name: there[name] for name in here if name in there}
        here, common = found_again([here, common], record.get(FOLDER), run)
        found = differences(here, common, file.name)
        if found:
            yield f"config.json and {file} disagree: {found}"
            return


def _losses(
    run: Path, file: Path, state: Mapping[str, Any], shards: Mapping[int, int]
) -> Iterator[str]:
    """Look for the rows that a checkpoint counts on, of metrics.csv and of the replay."""
    if state.get("metrics_rows"):
        check_rows(run / "metrics.csv", int(file.stem), state["metrics_rows"])
    reached, rows = state.get("replay_first", 0), state.get("replay_rows", 0)
    if "replay_first" in state:
        for first, count in sorted(shards.items()):
            if first <= reached < first + count:
                reached = first + count
        if reached < rows:
            yield f"{file} needs replay rows {state['replay_first']} to {rows}: {reached} is lost"


def _evaluation(files: Checkpoints, sealed: bool) -> Iterator[str]:
    """Compare the best evaluation with the best checkpoint."""
    if not files.evaluation.exists():
        return
    try:
        step = load_record(files.evaluation, sealed=sealed)["step"]
        best = load_checkpoint(files.best)["steps"]
    except (CheckpointError, FileNotFoundError) as error:
        yield str(error)
        return
    if step != best:
        yield f"{files.evaluation} is of step {step}, {files.best} of {best}"


def _experience(run: Path, record: Mapping[str, Any]) -> Iterator[str]:
    """Compare the data that a run wrote for itself, in our own format, with what they were."""
    taken = record.get("sources", {}).get("data")
    if taken is None or Path(taken["path"]).suffix != ".pt":
        return
    file = run / Path(taken["path"]).name  # runs are moved
    try:
        now = source(file, [file])["sha256"]
    except FileNotFoundError:
        yield f"{file} is lost"
        return
    if now != taken["sha256"]:
        yield f"{file} is not as it was: its SHA-256 is {now}, and was {taken['sha256']}"
