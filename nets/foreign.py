"""Errors of code that is not ours: whose they are is told, and they keep their traceback."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

RAISED_BY: Final = "raised by "
OF_OLD = ("values to unpack", "unexpected keyword argument 'seed'")
"""What Python says where a world of the old Gym is wrapped by Gymnasium."""
GYMNASIUM = (
    "in Gymnasium reset(seed=, options=) returns (observation, info), and step(action)"
    " (observation, reward, terminated, truncated, info)"
)


class InvalidExperience(ValueError):
    """An environment returned what nothing can be learned from."""


def blamed(error: BaseException, whose: str) -> BaseException:
    """Return what to raise for an error of somebody's code: itself, with a note of who raised it.

    What ends a process, `sys.exit`, becomes an error: it must not look like the end of a training.
    Ctrl-C is nobody's, and what we refuse to learn from was refused by us.
    """
    if isinstance(error, SystemExit):
        error = RuntimeError(f"sys.exit({error.code!r}) was called")
    if not isinstance(error, KeyboardInterrupt | InvalidExperience) and not is_foreign(error):
        error.add_note(f"{RAISED_BY}{whose}, whose code is not ours")
        if isinstance(error, ValueError | TypeError) and any(old in str(error) for old in OF_OLD):
            error.add_note(GYMNASIUM)
    return error


def is_foreign(error: BaseException) -> bool:
    """Whether an error was raised by code that is not ours."""
    return any(note.startswith(RAISED_BY) for note in getattr(error, "__notes__", ()))


def blame(error: Exception) -> str:
    """Return what code that is not ours said when it failed, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    told = " ".join(str(error).split())
    return f"its own code raised {type(error).__name__}: {told}{_choices(error)}{where}"


def _choices(error: Exception) -> str:
    """Return what a table has in which a name was not found."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not isinstance(error, KeyError) or not error.args:
        return ""
    seen = trace.tb_frame.f_globals | trace.tb_frame.f_locals
    for name in trace.tb_frame.f_code.co_names:
        table = seen.get(name)
        if isinstance(table, dict) and table and all(isinstance(key, str) for key in table):
            return f", expected one of {', '.join(map(repr, sorted(table)))}"
    return ""


@contextmanager
def blaming(whose: str) -> Iterator[None]:
    """Note on errors of the block whose they are."""
    try:
        yield
    except BaseException as error:
        raise blamed(error, whose)  # noqa: B904
