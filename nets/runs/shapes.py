"""What kind of value stands under which name of a run's files: nothing behind has to ask again."""

from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from ..near import shortened
from .checkpoint import CheckpointError

_TEXTS = {str: str}
KINDS: Mapping[str, Any] = {
    **dict.fromkeys(("algorithm", "model", "kind", "device", "init_from", "folder", "pulled"), str),
    **dict.fromkeys(("config", "run", "env", "record", "progress", "agent", "watch"), dict),
    **dict.fromkeys(("seed", "step", "steps", "segment", "replay_rows", "replay_first"), int),
    **dict.fromkeys(("versions", "processor"), _TEXTS),
    "command": [str],
    "changes": [{"step": int, "config": dict}],
    "metrics_rows": {"rows": int, "crc32": int},
    "replay_ends": [int],
    "sources": {str: {"path": str, "sha256": str}},
}
"""Of config.json, best/evaluation.json and checkpoints: a type, a list or a dict of one, a form."""
UNKNOWN = ("record", "metrics_rows")
"""None in checkpoints of a run that has no config.json, or writes no rows."""
WORDS = {
    str: "text",
    int: "a whole number",
    Real: "a number",
    dict: "names with values",
    list: "a list",
}


def require_shapes(path: str | Path, record: Mapping[str, Any]) -> None:
    """Refuse a record in which something is of another kind than what a run writes.

    Args:
        path: the file that it was read from.
        record: what it says; what is not there, or a word or number that is None, is left to
            whoever needs it.

    Raises:
        CheckpointError: naming the value, and what was expected.
    """
    for name, kind in KINDS.items():
        optional = kind in (str, int) or name in UNKNOWN
        if name in record and not (optional and record[name] is None):
            _require(path, name, record[name], kind)


def require_form(path: str | Path, record: Mapping[str, Any], form: Mapping[str, Any]) -> None:
    """Refuse a record that lacks something of a form, or has another kind in its place.

    Args:
        path: the file that it was read from.
        record: what it says.
        form: a kind for every name that is needed.

    Raises:
        CheckpointError: naming the value, and what was expected.
    """
    for name, kind in form.items():
        _require(path, name, record.get(name), kind)


def _require(path: str | Path, name: str, value: Any, kind: Any) -> None:
    basic = kind if isinstance(kind, type) else type(kind)
    if not isinstance(value, basic) or isinstance(value, bool):
        _refuse(path, name, value, WORDS[basic])
    if isinstance(kind, list):
        for k, entry in enumerate(value):
            _require(path, f"{name}[{k}]", entry, kind[0])
    elif isinstance(kind, dict) and str in kind:
        for key, entry in value.items():
            _require(path, f"{name}.{key}", entry, kind[str])
    elif isinstance(kind, dict):
        for key, inner in kind.items():
            if key not in value:
                _refuse(path, name, value, f"its {key}")
            _require(path, f"{name}.{key}", value[key], inner)


def _refuse(path: str | Path, name: str, value: Any, expected: str) -> None:
    said = shortened(value)
    raise CheckpointError(f"{path} does not fit: {name} is {said}, expected {expected}")
