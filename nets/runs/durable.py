"""What a power cut does not take, and what a killed process leaves."""

import errno
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryFile

from ..near import shortened

WINDOWS = sys.platform == "win32"
FLUSHABLE = os.O_RDWR if WINDOWS else os.O_RDONLY  # Windows flushes only what may be written


def as_path(path: str | Path) -> Path:
    """Return where a file or a folder is, as people say it.

    Raises:
        TypeError: it is neither text nor a path.
        ValueError: it is empty, which would stand for the current folder.
    """
    if not isinstance(path, str | Path):
        raise TypeError(f"the path is {shortened(path)}: expected text or a pathlib.Path")
    if path == "":
        raise ValueError("the path is '': expected the name of a file or a folder")
    return Path(path)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, that are found again after a power cut."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def require_place(file: Path) -> None:
    """Refuse a place that no file can be written at, before work is done for one.

    Raises:
        OSError: what is there, or above it, takes none; the file is named.
    """
    if file.exists() and not file.is_file():
        raise OSError(errno.EINVAL, "no file can be written in its place", str(file))
    above = next(folder for folder in file.absolute().parents if folder.exists())
    if not above.is_dir():
        raise OSError(errno.ENOTDIR, f"{above.name} is no folder", str(file))
    try:
        TemporaryFile(dir=above).close()
    except OSError as error:  # what root may write to is not always written
        raise OSError(error.errno, os.strerror(error.errno or errno.EACCES), str(file)) from error


def sync(path: Path) -> None:
    """Wait until what a file holds, or a folder's list of names, is on the device.

    Windows opens no folders: it has nothing that could be waited for.
    """
    try:
        descriptor = os.open(path, FLUSHABLE if path.is_file() else os.O_RDONLY)
    except PermissionError:
        if path.is_dir():
            return
        raise
    with naming(path):
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let errors of writing, as on a full disk, name the file that was written."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def remove_unfinished(folder: Path, names: Collection[str]) -> None:
    """Remove what dead processes left half written in `folder` of files that match `names`.

    Args:
        folder: nothing below it is looked at.
        names: patterns of the names that `atomic_write` was to give, such as `"*.pt"`.
    """
    for file in folder.glob(".*.tmp"):
        name, _, process = file.name[1 : -len(".tmp")].rpartition(".")
        wanted = any(fnmatchcase(name, pattern) for pattern in names)
        if wanted and process.isdigit() and not _lives(int(process)):
            file.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    """Whether another process than this one has that number, as far as the system can tell."""
    if WINDOWS:  # a signal would end it
        return process != os.getpid()
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return process != os.getpid()
