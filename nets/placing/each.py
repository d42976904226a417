"""Calls that are made elsewhere, several at a time, each taken note of as it ends."""

from collections import deque
from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from .calls import CallError
from .local import Local


class Workers(Protocol):
    """Who makes calls, while they are there; leaving them ends what still runs."""

    def start(self, function: Callable[..., object], values: tuple[Any, ...]) -> Hashable:
        """Begin a call, and return what it is known by."""

    def ended(self, seconds: float) -> Sequence[Any]:
        """Wait up to so long for calls to end, and return those that did, each once."""

    def failure(self, call: Any) -> str:
        """Return what went wrong in a call that ended, in a sentence; nothing: it went well."""


class Place(Protocol):
    """A place for calls.

    `jobs` is how many are made at a time, `sharing` how many of them share a machine's threads.
    """

    def require(self) -> None:
        """Refuse what is seen to be missing before anybody is brought up.

        Raises:
            PlaceError: it is.
        """

    @property
    def jobs(self) -> int:
        """How many calls at a time."""

    @property
    def sharing(self) -> int:
        """How many of them share the threads of a machine."""

    def workers(self) -> AbstractContextManager[Workers]:
        """Bring up who makes the calls."""


def run_each(
    function: Callable[..., object],
    arguments: Sequence[tuple[Any, ...]],
    place: Place | None = None,
    watch: Callable[[], object] = lambda: None,
    every: float = 0.5,
) -> Generator[int, None, None]:
    """Call `function` with each of `arguments`, and yield the index of each as it ends.

    Whoever leaves the iterator ends what still runs, so `function` must be safe to kill; where a
    machine is lost it may be called again with the same arguments.

    Args:
        function: can be pickled, as can its arguments; what it returns is dropped.
        arguments: of each call.
        place: where it is called; by default in one process here after the other.
        watch: called `1 / every` times a second meanwhile.
        every: in seconds.

    Raises:
        PlaceError: there is no such place.
        CallError: a call failed.
    """
    place = Local() if place is None else place
    waiting = deque(enumerate(arguments))
    running: dict[Any, int] = {}
    with place.workers() as workers:
        while waiting or running:
            while waiting and len(running) < place.jobs:
                index, values = waiting.popleft()
                running[workers.start(function, values)] = index
            for call in workers.ended(every):
                index, failure = running.pop(call), workers.failure(call)
                if failure:
                    raise CallError(index, failure)
                yield index
            watch()
