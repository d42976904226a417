"""What kind of value stands under which name of a run's files: nothing behind has to ask again."""

from collections.abc import Mapping
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
WORDS = {
    str: "text",
    int: "a whole number",
    dict: "names with values",
    list: "a list",
}


def require_shapes(path: str | Path, record: Mapping[str, Any]) -> None:
    """Refuse a record in which something is of another kind than what a run writes.

    Args:
        path: the file that it was read from.
        record: what it says; what is not there, or None, is left to whoever needs it.

    Raises:
        CheckpointError: naming the value, and what was expected.
    """
    for name, kind in KINDS.items():
        value = record.get(name)
        if value is not None:
            _require(path, name, value, kind)


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
