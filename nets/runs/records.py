"""What files say of a run: sealed by a checksum, and compared with what other files say of it."""

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..settings import to_plain
from .checkpoint import CheckpointError, Damaged, fitting, load_checkpoint, load_object, save_json
from .checkpoints import Checkpoints
from .places import FOLDER
from .shapes import require_shapes

SEAL = "checksum"
FREE = ("device",)
"""What may be changed by hand, to go on elsewhere."""
CHANGES = "changes"
"""What became of settings within the run; see `changes`."""
SEALED = ("processor", "git_dirty")
"""What only records with a checksum say: those of before have neither."""
INCIDENTAL = (SEAL, *FREE, FOLDER, "command", "git_commit", "git_dirty")
"""What results do not depend on."""


def save_record(path: str | Path, record: Mapping[str, Any]) -> None:
    """Save a record as JSON, with a checksum of what it says."""
    save_json(path, {**record, SEAL: _checksum(record)})


def load_record(path: str | Path, *, sealed: bool = False) -> dict[str, Any]:
    """Load what `save_record` wrote, or a record of before there were checksums.

    Args:
        path: the file.
        sealed: whether it is known to have a checksum.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is no JSON object, or a value is of another kind than what runs write.
        Damaged: it says something else than what was written.
    """
    record = load_object(path)
    if SEAL not in record and (sealed or any(name in record for name in SEALED)):
        raise Damaged(f"{path} is not as it was written: its checksum is gone")
    if record.get(SEAL, _checksum(record)) != _checksum(record):
        raise Damaged(f"{path} is not as it was written: its checksum differs")
    require_shapes(path, record)
    return record


def record_of(files: Checkpoints) -> dict[str, Any]:
    """Return what the config.json of a run says.

    Raises:
        FileNotFoundError: there is none.
        Damaged: it says something else than what was written; a checkpoint may tell what.
    """
    try:
        return load_record(files.config)
    except Damaged as error:
        raise Damaged(f"{error}{_changes(files)}") from error


def _changes(files: Checkpoints) -> str:
    """Tell in what config.json differs from the last checkpoint that can be read."""
    for file in reversed(files.list()):
        with suppress(CheckpointError):
            state, record = load_checkpoint(file), load_object(files.config)
            require_shapes(file, state)
            require_shapes(files.config, record)
            found = differences(lasting(record), state.get("record") or state, file.name)
            return f" ({found})" if found else ""
    return ""


def lasting(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stays the same for the whole of a run, of what config.json says.

    A run may become longer, be moved to another device, and be gone on with by another command, or
    with other settings.
    """
    dropped = (*INCIDENTAL, CHANGES)
    kept = {name: value for name, value in record.items() if name not in dropped}
    return kept | {"run": {k: v for k, v in record.get("run", {}).items() if k != "steps"}}


def differences(here: Mapping[str, Any], there: Mapping[str, Any], other: str) -> str:
    """Tell what two records both have, and not alike; nothing where there is no such thing.

    Args:
        here: a record.
        there: another one; what only one of them has does not count.
        other: what the other is called.

    Raises:
        CheckpointError: the other holds what no record does, such as tensors.
    """
    common = {name: there[name] for name in here if name in there}
    with fitting(other):
        said = to_plain(common)
    found = _unequal(to_plain(here), said)
    return "; ".join(f"{name} is {a!r}, in {other} {b!r}" for name, a, b in found)


def _unequal(
    here: Mapping[str, Any], there: Mapping[str, Any], within: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    for name in here:
        if name not in there:
            continue
        a, b = here[name], there[name]
        if isinstance(a, dict) and isinstance(b, dict):
            yield from _unequal(a, b, f"{within}{name}.")
        elif a != b:
            yield f"{within}{name}", a, b


def _checksum(record: Mapping[str, Any]) -> str:
    said = {name: value for name, value in record.items() if name not in (SEAL, *FREE)}
    return f"{zlib.crc32(json.dumps(to_plain(said), sort_keys=True).encode()):08x}"
