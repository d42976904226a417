"""Processes of this machine, that end when their parent does."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any

from .calls import failure_of

HEAVY = ("torch", "gymnasium")  # none of ours: the server does not know which checkout we are from


@dataclass(frozen=True)
class Local:
    """This machine.

    Attributes:
        jobs: how many processes at a time.
    """

    jobs: int = 1

    def require(self) -> None:
        """Nothing is missing here."""

    @property
    def sharing(self) -> int:
        """All of them share its threads."""
        return self.jobs

    @contextmanager
    def workers(self) -> "Iterator[Processes]":
        """Terminate, when left, what still runs."""
        processes = Processes()
        try:
            yield processes
        finally:
            processes.close()


class Processes:
    """A process for each call.

    They are forked from a server that has imported torch already, where there is such a thing;
    elsewhere they are started anew. Environment variables are the parent's when a call begins, not
    when the server did. Ctrl-C, and the end of a terminal, reach the parent alone.
    """

    def __init__(self) -> None:
        self._context = _context()
        self._running: dict[int, tuple[BaseProcess, connection.Connection]] = {}
        self._failures: dict[int, str] = {}

    def start(self, function: Callable[..., object], values: tuple[Any, ...]) -> int:
        """Begin a call."""
        reader, writer = self._context.Pipe(duplex=False)
        given = function, values, dict(os.environ), writer
        process = self._context.Process(target=_call, args=given)
        with _interrupts_held():
            process.start()
            self._running[process.sentinel] = process, reader
        writer.close()
        return process.sentinel

    def ended(self, seconds: float) -> Sequence[int]:
        """Wait for processes to end."""
        ended = self._running.keys() & connection.wait(list(self._running), timeout=seconds)
        for call in ended:
            process, reader = self._running.pop(call)
            process.join()
            self._failures[call] = _failure(process, reader)
        return list(ended)

    def failure(self, call: int) -> str:
        """Return what a process sent of its error, or how it ended."""
        return self._failures.pop(call)

    def close(self) -> None:
        """Terminate what still runs."""
        for process, _ in self._running.values():
            process.terminate()
        for process, reader in self._running.values():
            process.join()
            reader.close()


def _context() -> Any:
    """Return the way to start processes: from a server, where the system has that."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(HEAVY))
    return context


class _ToldToEnd(BaseException):
    """Raised by SIGTERM wherever the child is: no `sys.exit` that foreign code could have made."""


def _call(
    function: Callable[..., object],
    values: tuple[Any, ...],
    environment: dict[str, str],
    errors: connection.Connection,
) -> None:
    """Run in the child: call, and send what went wrong; tidy up when told to end."""
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGTERM, _told_to_end)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        failure = failure_of(function, values)
    except _ToldToEnd:
        raise SystemExit(1) from None
    if failure:
        errors.send(failure)
        raise SystemExit(1)


def _told_to_end(*_: object) -> None:
    raise _ToldToEnd


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _failure(process: BaseProcess, reader: connection.Connection) -> str:
    with reader:
        if process.exitcode == 0:
            return ""
        try:
            return str(reader.recv())
        except EOFError:
            return f"the process ended with exit code {process.exitcode}"


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let Ctrl-C and SIGHUP wait, so that processes started meanwhile never hear of them."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows nothing is inherited
        yield
        return
    resource_tracker.ensure_running()  # it would let the interrupts through
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGHUP})
