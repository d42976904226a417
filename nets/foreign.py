"""Errors of code that is not ours: whose they are is told, and they keep their traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

RAISED_BY: Final = "raised by "


def blamed(error: BaseException, whose: str) -> BaseException:
    """Return what to raise for an error of somebody's code: itself, with a note of who raised it.

    What ends a process, `sys.exit`, becomes an error: it must not look like the end of a training.
    Ctrl-C is nobody's.
    """
    if isinstance(error, SystemExit):
        error = RuntimeError(f"sys.exit({error.code!r}) was called")
    if not isinstance(error, KeyboardInterrupt) and not is_foreign(error):
        error.add_note(f"{RAISED_BY}{whose}, whose code is not ours")
    return error


def is_foreign(error: BaseException) -> bool:
    """Whether an error was raised by code that is not ours."""
    return any(note.startswith(RAISED_BY) for note in getattr(error, "__notes__", ()))


@contextmanager
def blaming(whose: str) -> Iterator[None]:
    """Note on errors of the block whose they are."""
    try:
        yield
    except BaseException as error:
        raise blamed(error, whose)  # noqa: B904
