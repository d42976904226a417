"""Fingerprints of files that a run depends on, and that lie outside of its folder."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from .checkpoints import find_checkpoint


Source = dict[str, str]
"""The `path` of what a run takes from elsewhere, and the `sha256` of its content."""


def source(path: str | Path, files: Sequence[Path]) -> Source:
    """Return the path, and the SHA-256 of its `files` in their order: of names and contents."""
    whole = hashlib.sha256()
    for each in files:
        with each.open("rb") as file:
            content = hashlib.file_digest(file, "sha256")
        whole.update(os.fsencode(os.path.relpath(each, path)) + content.digest())
    return {"path": str(path), "sha256": whole.hexdigest()}


def checkpoint_source(path: str | Path) -> Source | None:
    """Return the source of a file, or of a run folder's best checkpoint; None where it is gone."""
    try:
        return source(path, [find_checkpoint(path)])
    except FileNotFoundError:
        return None
