"""Signals: those that end a training behave alike, and wait where the moment is bad."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from types import FrameType

ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
SIGNALLED = 128  # a shell adds to it the number of the signal that ended a process
BOUNCE = 1.0  # seconds in which one Ctrl-C more is the same
Handler = Callable[[int, FrameType | None], object]


@contextmanager
def handled(number: int, handler: Handler) -> Iterator[None]:
    """Let `handler` answer a signal inside the block.

    Outside the main thread, which alone receives signals, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, previous)


@contextmanager
def interruptible(last: bool = False) -> Iterator[list[int]]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, and yield the numbers of those that came.

    Only the first interrupts: others would disturb what it has set going. Who insists, with one
    more Ctrl-C that no bouncing key explains, ends the process at once. Signals that this process
    was started to ignore, as `nohup` does with SIGHUP, stay ignored.

    Args:
        last: whether the process ends with the block: what comes later disturbs its end no more.
    """
    came: list[int] = []
    first = 0.0

    def interrupt(number: int, _: FrameType | None) -> None:
        nonlocal first
        came.append(number)
        if len(came) == 1:
            first = monotonic()
            raise KeyboardInterrupt
        if number == signal.SIGINT and monotonic() - first > BOUNCE:
            os.write(2, b"\ninterrupted\n")
            os._exit(SIGNALLED + number)

    with ExitStack() as stack:
        for number in ENDING:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                if last:
                    stack.callback(_leave, number, came)
                stack.enter_context(handled(number, interrupt))
        yield came


def _leave(number: int, came: Sequence[int]) -> None:
    """Let a signal do nothing at the end of a process that one has ended, else end it silently."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(number, signal.SIG_IGN if came else signal.SIG_DFL)


def left_at(what: str, steps: int, folder: Path | None, new: str) -> str:
    """Say where an interruption has left a training, and how it goes on: a note on what is raised.

    Args:
        what: is trained.
        steps: that it has taken.
        folder: of the run; None: it is in memory alone.
        new: what it goes on with in memory.
    """
    where = (
        f"from there, with new {new}" if folder is None else f"from the last checkpoint in {folder}"
    )
    return f"{what} was interrupted at step {steps:,}; the next call goes on {where}"


@contextmanager
def noted() -> Iterator[list[Callable[[], object]]]:
    """Only note the signals that end a training; yield what each that came would have done.

    For processes that wait for each other: one that is stopped alone leaves the others waiting. Who
    insists, with a fourth signal (`torchrun` hands each on once more), is obeyed at once.
    """
    came: list[Callable[[], object]] = []
    with ExitStack() as stack:
        for number in ENDING:
            before = signal.getsignal(number)
            if callable(before):
                stack.enter_context(handled(number, partial(_note, came, before)))
        yield came


def _note(
    came: list[Callable[[], object]], before: Handler, number: int, frame: FrameType | None
) -> None:
    came.append(partial(before, number, frame))
    if len(came) > 3:
        came[-1]()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold the signals that end a training back until the block is over.

    For writes that share state with another thread: TensorBoard's writer, torn from between the
    two halves of a queue's `put`, is not told of the event, and keeps its `close` waiting for two
    minutes. Signals that no function answers are left to do what they do.
    """
    held: list[int] = []
    try:
        with ExitStack() as stack:
            for number in ENDING:
                if callable(signal.getsignal(number)):
                    stack.enter_context(handled(number, lambda number, _: held.append(number)))
            yield
    finally:
        for number in held:
            signal.raise_signal(number)
