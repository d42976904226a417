"""Environments in processes of their own: what ends one of them is told, and ends them all.

Gymnasium's workers die without a word of `sys.exit`, of signals, and of whatever cannot be pickled;
Ctrl-C, which a terminal sends to all processes, is the parent's alone.
"""

import pickle
import queue
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from typing import Any, NoReturn

import gymnasium as gym
from gymnasium.vector import AsyncVectorEnv
from gymnasium.vector.async_vector_env import _async_worker

from nets.process.interrupts import handled
from nets.returned import InvalidExperience

from .door import Lost

GRACE = 5.0  # seconds in which a process that was told to end closes its environment
GONE = EOFError, ConnectionError  # what a pipe says whose other end is dead


class Processes(AsyncVectorEnv):
    """Environments in processes that end together: with the first that fails, and at Ctrl-C.

    Args:
        makes: each makes one of them, in its process.
        settings: of Gymnasium's class.

    Raises:
        Lost: a process has ended, in making its environment, `reset` or `step`. Errors of these are
            raised as they are, with a note of their traceback there.
    """

    def __init__(self, makes: Sequence[Callable[[], gym.Env]], **settings: Any) -> None:
        with self._together():
            super().__init__(makes, worker=_work, **settings)

    def reset(self, **settings: Any) -> Any:
        """Reset all environments."""
        with self._together():
            return super().reset(**settings)

    def step(self, actions: Any) -> Any:
        """Step all environments."""
        with self._together():
            return super().step(actions)

    def close_extras(self, timeout: float | None = None, terminate: bool = False) -> None:
        """Close all environments, and end their processes."""
        with suppress(Lost), self._together():
            super().close_extras(timeout, terminate)

    @contextmanager
    def _together(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            try:
                if isinstance(error, GONE):
                    raise what_ended(self) from None
                raise
            finally:
                self._end()

    def _end(self) -> None:
        self.closed = True
        started = [process for process in getattr(self, "processes", []) if process.pid is not None]
        for process in started:
            process.terminate()
        for process in started:
            process.join(GRACE)
            if process.is_alive():
                process.kill()
                process.join()
        for pipe in getattr(self, "parent_pipes", []):
            if pipe is not None:
                pipe.close()


def what_ended(env: AsyncVectorEnv) -> BaseException:
    """Return the error that ended a process of `env`, or else what is known of its end."""
    over = wait([process.sentinel for process in env.processes], GRACE)
    for index, process in enumerate(env.processes):
        if process.sentinel not in over:
            continue
        process.join()
        status = process.exitcode or 0
        if status == 0:  # as of one that told its error
            with suppress(queue.Empty):
                return env.error_queue.get(timeout=GRACE)[1]
        who = f"the process of environment {index} (of {env.num_envs}, from 0)"
        return Lost(f"{who} {_end_in_words(status)}")
    return Lost(f"a process of {env} does not answer")


def _end_in_words(status: int) -> str:
    if status >= 0:
        return f"ended with exit status {status}"
    with suppress(ValueError):
        name = signal.Signals(-status).name
        memory = ", as the system does where memory runs out" if name == "SIGKILL" else ""
        return f"was killed by {name}{memory}"
    return f"was killed by signal {-status}"


class _Ended(BaseException):
    """Raised where a worker is to end: no `sys.exit` that foreign code could have made."""


def _work(
    index: int,
    make: Callable[[], gym.Env],
    pipe: Any,
    other: Any,
    memory: Any,
    errors: Any,
    *more: Any,
) -> None:
    """Run in the process of environment `index`: make it, and do what the parent asks."""
    for name in {"SIGINT", "SIGHUP"} & set(dir(signal)):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # at last, when all is tidied up
    told_to_end = handled(signal.SIGTERM, _told_to_end)
    with suppress(_Ended, BrokenPipeError), told_to_end:  # where the parent is gone, too
        try:
            env = make()
        except BaseException as error:
            _report(error, index, errors)
        reporting = Reporting(env, index, errors)
        _async_worker(index, lambda: reporting, pipe, other, memory, errors, *more)


def _told_to_end(*_: object) -> NoReturn:
    raise _Ended


class Reporting(gym.Wrapper):
    """An environment whose errors are sent to the parent, whatever they are; the worker ends."""

    def __init__(self, env: gym.Env, index: int, errors: Any) -> None:
        super().__init__(env)
        self._index, self._errors = index, errors

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset the environment."""
        try:
            return self.env.reset(seed=seed, options=options)
        except BaseException as error:
            _report(error, self._index, self._errors)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the environment."""
        try:
            return self.env.step(action)
        except BaseException as error:
            _report(error, self._index, self._errors)


def _report(error: BaseException, index: int, errors: Any) -> NoReturn:
    """Send an error, with its traceback unless it is ours, and end."""
    if not isinstance(error, _Ended):
        if not isinstance(error, InvalidExperience):
            trace = "".join(traceback.format_exception(error)).rstrip()
            error.add_note(f"in the process of environment {index}:\n{trace}")
        errors.put((index, _portable(error)))
    raise _Ended from None


def _portable(error: BaseException) -> BaseException:
    """Return an error that arrives as it is; of others, the words."""
    with suppress(Exception):  # whatever stands in the way
        if type(pickle.loads(pickle.dumps(error))) is type(error):
            return error
    other = RuntimeError(f"{type(error).__name__}: {error}")
    for note in error.__notes__:
        other.add_note(note)
    return other
