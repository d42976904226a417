"""Where things lie that a run takes from elsewhere: an expert, a world, data.

They are recorded from the root, so that a run goes on from any folder. Who copies or moves a run
together with them finds them again: what is not where it was is looked for where it lay as seen
from the run, whose folder is recorded, too.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .checkpoint import CheckpointError, load_object

FOLDER = "folder"
"""Under which config.json says where the run was begun."""
AT = "@"
"""What stands before a place within a name, as in `frames:ENV_ID@RUN`."""


def rooted(path: str | Path) -> str:
    """Return a path from the root, which means the same in whatever folder a run goes on."""
    return str(Path(path).absolute())


def found_again(said: Any, began: str | None, now: Path) -> Any:
    """Return what a file says with its places as they are for a run that has moved.

    Args:
        said: text, or dicts and lists of it and of other things.
        began: the folder that the run was begun in; None where nobody wrote it down.
        now: the one that it is in.
    """
    if began is None or Path(began) == now:
        return said
    if isinstance(said, str):
        return _found(said, began, now)
    if isinstance(said, Mapping):
        return {name: found_again(value, began, now) for name, value in said.items()}
    if isinstance(said, list | tuple):
        return type(said)(found_again(value, began, now) for value in said)
    return said


def at_home(file: Path, said: Any) -> Any:
    """Return what a checkpoint says with its places as they are for the run that it lies in."""
    run = file.absolute().parent.parent
    with suppress(CheckpointError, OSError):  # it lies in no run, or will be refused as such
        began = load_object(run / "config.json").get(FOLDER)
        if isinstance(began, str):
            return found_again(said, began, run)
    return said


def _found(text: str, began: str, now: Path) -> str:
    head, at, path = text.rpartition(AT)
    if not Path(path).is_absolute() or "\0" in path:
        return text
    with suppress(OSError, ValueError):  # longer than paths may be; another drive
        there = Path(os.path.normpath(now / os.path.relpath(path, began)))
        if not Path(path).exists() and there.exists():
            return f"{head}{at}{there}"
    return text
