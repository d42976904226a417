"""What all commands share: how they are started, called, and how they refuse."""

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Protocol, TypeVar, get_origin

import tyro

from .. import __version__
from ..foreign import is_foreign
from ..process.interrupts import SIGNALLED, interruptible
from ..process.memory import lacks_memory, memory_sentence
from ..process.streams import lasting_streams
from ..runs.ownership import Occupied
from .here import as_seen, look_beside, pinned, shown, started_here
from .option_values import VALUES
from .plain_warnings import plain_warnings
from .widths import fitted
from .wrong_options import WrongOption, one_sentence

Options = TypeVar("Options")

USAGE_ERROR = 2
OCCUPIED = 75  # EX_TEMPFAIL: the same command can succeed later
INTERRUPTED = SIGNALLED + signal.SIGINT
LONGEST = 2000  # letters of an error, which may repeat what a file says


class CommandError(Exception):
    """Something that the person at the keyboard can mend; told in one line."""


class Command(Protocol):
    """What a shell, a script or the dispatcher calls."""

    def __call__(self, argv: list[str] | None = None) -> int:
        """Run with `argv`, by default the shell's; return the exit code."""


def command(function: Callable[[list[str]], int]) -> Command:
    """Make a command of `function`: arguments from the shell by default, errors in one line.

    A function that returns `INTERRUPTED` was ended by a signal; the exit code says by which.
    """

    @wraps(function)
    def main(argv: list[str] | None = None) -> int:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # it would go to standard output
        with (
            lasting_streams() as output,
            interruptible(last=argv is None) as signals,
            _quiet_threads(),
            plain_warnings(),
            started_here(),
        ):
            try:
                code = _exit_code(function, sys.argv[1:] if argv is None else argv)
            except SystemExit as leaving:  # who asked for help
                output.flush()
                if leaving.code or output.lost is None:
                    raise
                code = 0
            output.flush()
            if output.lost is not None:
                print(f"error: standard output: {output.lost.strerror}", file=sys.stderr)
                code = code or USAGE_ERROR
        return SIGNALLED + signals[0] if code == INTERRUPTED and signals else code

    return main


def _exit_code(function: Callable[[list[str]], int], argv: list[str]) -> int:
    if argv == ["--version"]:
        print(f"dreamgym {__version__}")
        return 0
    try:
        return function(argv)
    except CommandError as error:
        if is_foreign(error):
            raise
        print(f"error: {as_seen(str(error))}", file=sys.stderr)
        return USAGE_ERROR
    except Occupied as occupied:
        if is_foreign(occupied):
            raise
        print(f"occupied: {one_line(occupied)}", file=sys.stderr)
        return OCCUPIED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        if is_foreign(error):
            raise
        print(f"error: {one_line(error)}", file=sys.stderr)
        return USAGE_ERROR
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error) or is_foreign(error):
            raise
        print(f"error: {memory_sentence(error)}", file=sys.stderr)
        return USAGE_ERROR


@contextmanager
def _quiet_threads() -> Iterator[None]:
    """Tell errors of files once: TensorBoard has its own raised again at the next write."""

    def tell(failed: threading.ExceptHookArgs) -> None:
        if not isinstance(failed.exc_value, OSError):
            before(failed)

    before, threading.excepthook = threading.excepthook, tell
    try:
        yield
    finally:
        threading.excepthook = before


@contextmanager
def refusals(*kinds: type[Exception]) -> Iterator[None]:
    """Tell in one line what the library refuses: bad files, what diverged, and `kinds`."""
    from ..runs.checkpoint import CheckpointError
    from ..runs.divergence import Diverged

    with told(OSError, CheckpointError, Diverged, *kinds):
        yield


@contextmanager
def told(*kinds: type[Exception]) -> Iterator[None]:
    """Tell errors of these kinds in one line; those of foreign code keep their traceback."""
    try:
        yield
    except kinds as error:
        if is_foreign(error):
            raise
        raise CommandError(one_line(error)) from error


def one_line(error: BaseException) -> str:
    """Return the message of `error` without line breaks, and without the middle of a long one."""
    told = str(error)
    if isinstance(error, OSError) and error.filename is not None:
        told = f"{os.fsdecode(error.filename)}: {error.strerror}"
    told = " ".join(as_seen(told).split()) or type(error).__name__
    half = LONGEST // 2
    return told if len(told) <= LONGEST else f"{told[:half]} ... {told[-half:]}"


def parse(
    kind: type[Options], name: str, argv: Sequence[str], text: str, default: Options | None = None
) -> Options:
    """Parse `argv` into the dataclass `kind`.

    Paths are those from the root, whatever becomes of the current folder.

    Args:
        kind: the options; its attributes' docstrings are the help.
        name: of the command.
        argv: the arguments.
        text: what the command does, with examples, in which `{command}` stands for its call.
        default: overrides the defaults of `kind`.

    Raises:
        CommandError: an argument is wrong.
    """
    if "" in argv:
        before = argv[argv.index("") - 1] if argv.index("") else "the first argument"
        raise CommandError(f"{before} is given nothing: expected a value")
    look_beside(argv)
    call = program(name)
    chosen = tyro.MISSING_NONPROP if default is None else default
    options = read(kind, call, argv, text.format(command=call), chosen)
    for name, value in vars(options).items():
        if isinstance(value, Path):
            object.__setattr__(options, name, pinned(value))
    return options


def read(
    kind: Any, call: str, argv: Sequence[str], text: str, default: Any, config: Any = ()
) -> Any:
    """Parse `argv` by tyro, which takes `config`; its errors are told in one sentence.

    Raises:
        CommandError: an argument is wrong.
    """
    try:
        with one_sentence(get_origin(kind) or kind, default, argv, call):
            return tyro.cli(
                kind,
                prog=call,
                args=argv,
                description=fitted(text),
                default=default,
                config=config,
                registry=VALUES,
            )
    except WrongOption as wrong:
        raise CommandError(" ".join(str(wrong).split())) from wrong


def program(name: str, python: str = "python", dreamgym: str = "dreamgym") -> str:
    """Return how the command `name` is called, in the way that the running one was."""
    called = Path(sys.argv[0])
    if called.suffix == ".py":
        return f"{python} {shown(called.with_name(name.replace('-', '_')))}.py"
    return f"{dreamgym} {name}"


def to_type(name: str) -> str:
    """Return what to type for the command `name` where the shell does not know our programs."""
    return program(name, executable("python"), executable("dreamgym"))


def executable(name: str) -> str:
    """Return `name` where the shell finds the one beside this interpreter, else its path."""
    here = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    if not here.exists() or (found is not None and Path(found) == here):
        return name
    return str(shown(here))


def has_display() -> bool:
    """Whether a window can be opened here."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"))


def draw_off_screen() -> None:
    """Let environments draw without a window on machines that have no screen."""
    if not has_display():
        os.environ["SDL_VIDEODRIVER"] = "dummy"
