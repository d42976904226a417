"""Folders and files that a power cut does not take."""

import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, that are found again after a power cut."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def sync(path: Path) -> None:
    """Wait until what a file, or a folder's list of names, holds is on the device."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
