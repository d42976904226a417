"""Fingerprints of what a run depends on, and that lies outside of its folder: files, and data."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from .finding import find_checkpoint

PIECE = 2**24  # bytes of data that are looked at together

Source = dict[str, str]
"""The `path` of what a run takes from elsewhere, and the `sha256` of its content."""


def source(path: str | Path, files: Sequence[Path]) -> Source:
    """Return the path, and the SHA-256 of its `files` in their order: of names and contents.

    Raises:
        FileNotFoundError: there are none.
    """
    if not files:
        raise FileNotFoundError(f"there is nothing at {path}")
    whole = hashlib.sha256()
    for each in files:
        with each.open("rb") as file:
            content = hashlib.file_digest(file, "sha256")
        whole.update(os.fsencode(os.path.relpath(each, path)) + content.digest())
    return {"path": str(path), "sha256": whole.hexdigest()}


def content(tensors: Iterable[Tensor | None]) -> str:
    """Return the SHA-256 of the types, shapes and numbers of tensors in their order."""
    whole = hashlib.sha256()
    for tensor in tensors:
        if tensor is None:
            whole.update(b"none")
            continue
        whole.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        rows = max(1, PIECE * len(tensor) // max(1, tensor.nbytes)) if tensor.dim() else 1
        for piece in tensor.detach().split(rows) if tensor.dim() else [tensor.detach()]:
            whole.update(piece.cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return whole.hexdigest()


def checkpoint_source(path: str | Path) -> Source | None:
    """Return the source of a file, or of a run folder's best checkpoint; None where it is gone."""
    try:
        return source(path, [find_checkpoint(path)])
    except FileNotFoundError:
        return None
