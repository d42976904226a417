"""Where a command was started: paths begin there, whatever folder a world changes into."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_folder = Path()  # of the command that runs; the current one where there is none


@contextmanager
def started_here() -> Iterator[None]:
    """Let paths begin in the folder that is now the current one, until the block ends."""
    global _folder
    before = _folder
    with suppress(OSError):  # it may have been removed
        _folder = Path.cwd()
    try:
        yield
    finally:
        _folder = before


def pinned(path: Path) -> Path:
    """Return the path from the root that `path` stood for when the command was started."""
    return _folder / path


def shown(path: Path) -> Path:
    """Return `path` as seen from where the command was started, if it lies below; all do of `/`."""
    below = path.is_relative_to(_folder) and _folder != Path(_folder.anchor)
    return path.relative_to(_folder) if below else path


def as_seen(text: str) -> str:
    """Return a message with its paths as `shown` returns them."""
    if _folder == Path(_folder.anchor):
        return text
    return re.sub(rf"(?<![\w./-]){re.escape(str(_folder))}[/\\]", "", text)
