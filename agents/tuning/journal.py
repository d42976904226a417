"""The journal of a study: a row per event, written by whoever holds the kernel's lock."""

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock

from nets.runs.checkpoint import CheckpointError
from nets.runs.ownership import in_turn, owned_file


def open_journal(file: Path) -> JournalStorage:
    """Open a journal, which is begun where there is none.

    Raises:
        CheckpointError: it is a link, and what it leads to another's.
    """
    if file.is_symlink():
        raise CheckpointError(f"{file} is a link: a study is written in its own folder")
    return JournalStorage(JournalFileBackend(str(file), Turns(file)))


class Turns(BaseJournalFileLock):
    """One process writes at a time; the lock ends with it, which Optuna's own links do not.

    Args:
        file: the journal.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held = ExitStack()

    def acquire(self) -> bool:
        """Wait for a turn, and cut off the part of a row that a dead process left."""
        self._held.enter_context(in_turn(partial(owned_file, self._file)))
        _cut(self._file)
        return True

    def release(self) -> None:
        """End the turn."""
        self._held.close()


def _cut(file: Path) -> None:
    with file.open("r+b") as journal:
        if journal.seek(0, os.SEEK_END):
            journal.seek(-1, os.SEEK_END)
            if journal.read() != b"\n":
                journal.seek(0)
                journal.truncate(journal.read().rfind(b"\n") + 1)
