"""Calls in processes of their own, several at a time, that end when their parent does."""

import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any

from ..foreign import is_foreign

HEAVY = ("torch", "gymnasium")  # none of ours: the server does not know which checkout we are from


class CallError(RuntimeError):
    """A call in another process failed; the message is the error's, `index` tells which call."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


def run_each(
    function: Callable[..., object],
    arguments: Sequence[tuple[Any, ...]],
    jobs: int = 1,
    watch: Callable[[], object] = lambda: None,
    every: float = 0.5,
) -> Generator[int, None, None]:
    """Call `function` with each of `arguments`, and yield the index of each as it ends.

    Processes are forked from a server that has imported torch already, where there is such a thing;
    elsewhere they are started anew. Ctrl-C, and the end of a
    terminal, reach the parent alone: whoever leaves the iterator terminates what still runs, so
    `function` must be safe to kill.

    Args:
        function: can be pickled, as can its arguments; what it returns is dropped.
        arguments: of each call.
        jobs: how many processes at a time.
        watch: called `1 / every` times a second meanwhile.
        every: in seconds.

    Raises:
        CallError: a call failed.
    """
    context = _context()
    waiting = deque(enumerate(arguments))
    running: dict[int, tuple[int, BaseProcess, connection.Connection]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                index, values = waiting.popleft()
                reader, writer = context.Pipe(duplex=False)
                process = context.Process(target=_call, args=(function, values, writer))
                with _interrupts_held():
                    process.start()
                    running[process.sentinel] = index, process, reader
                writer.close()
            ready = connection.wait(list(running), timeout=every)
            for sentinel in running.keys() & ready:
                index, process, reader = running.pop(sentinel)
                process.join()
                _check(index, process, reader)
                yield index
            watch()
    finally:
        for _, process, _ in running.values():
            process.terminate()
        for _, process, reader in running.values():
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
    function: Callable[..., object], values: tuple[Any, ...], errors: connection.Connection
) -> None:
    """Run in the child: call, and send what went wrong; tidy up when told to end."""
    signal.signal(signal.SIGTERM, _told_to_end)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        function(*values)
    except _ToldToEnd:
        raise SystemExit(1) from None
    except Exception as error:
        if is_foreign(error):
            traceback.print_exception(error)
        errors.send(f"{type(error).__name__}: {error}")
        raise SystemExit(1) from None


def _told_to_end(*_: object) -> None:
    raise _ToldToEnd


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _check(index: int, process: BaseProcess, reader: connection.Connection) -> None:
    with reader:
        if process.exitcode == 0:
            return
        try:
            message = reader.recv()
        except EOFError:
            message = f"the process ended with exit code {process.exitcode}"
    raise CallError(index, message)


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
