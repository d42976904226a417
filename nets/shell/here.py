"""Where a command was started: paths begin there, whatever folder a world changes into."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
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
    """Return a message with its paths as `shown` returns them, and nothing that moves a terminal.

    Names in files, and of files, may hold what a terminal would obey.
    """
    text = CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)
    if _folder == Path(_folder.anchor):
        return text
    return re.sub(rf"(?<![\w./-]){re.escape(str(_folder))}[/\\]", "", text)


def look_beside(argv: Sequence[str]) -> None:
    """Let modules that lie in the current folder be found, as `python -m` would.

    The folder comes last, and only where somebody has typed the name of a module that it has, as in
    `module:Name`, or trusts what a run names; then, as others may have filled it, no run's own.
    """
    words = [*argv, *(word.partition("=")[2] for word in argv)]
    tops = {name.partition(".")[0] for word in words for name in word.split(":")[:-1]}
    here = Path.cwd()
    beside = any(
        (here / f"{top}.py").is_file() or (here / top / "__init__.py").is_file()
        for top in tops
        if top.isidentifier() and find_spec(top) is None
    )
    trusted = "--trust" in argv and not any(map(_is_a_run, (here, *here.parents)))
    if (beside or trusted) and str(here) not in sys.path:
        sys.path.append(str(here))
        invalidate_caches()


def _is_a_run(folder: Path) -> bool:
    parts = ("checkpoints", "best")
    return (folder / "config.json").is_file() and any((folder / part).is_dir() for part in parts)
