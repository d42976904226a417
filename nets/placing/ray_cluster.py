"""A Ray cluster: its machines have this package installed and see our folders under one path."""

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .calls import PlaceError, failure_of, required_package

RETRIES = 10  # machines and processes that may be lost while a call runs
GRACE = 60.0  # seconds for runs to save what they have when they are told to end


@dataclass(frozen=True)
class Ray:
    """A cluster, each call taking one CPU and one thread.

    A call whose process or machine is lost is made again elsewhere.

    Attributes:
        address: of the cluster's head, `HOST:PORT` or `auto`; empty: what `RAY_ADDRESS` says, or a
            cluster of this machine alone, for as long as it is needed.
        jobs: how many calls at a time; more than there are CPUs wait.
    """

    address: str = ""
    jobs: int = 10_000

    def require(self) -> None:
        """Refuse to go on without Ray, or with an address where nobody is."""
        required_package("ray", "ray")
        _require_listening(self.address)

    @property
    def sharing(self) -> int:
        """Ray itself gives each call its threads."""
        return 1

    @contextmanager
    def workers(self) -> "Iterator[Tasks]":
        """Connect; when left, tell what still runs to end, and disconnect.

        Raises:
            PlaceError: Ray is not installed, there is no cluster at that address, or it wants
                another token than ours.
        """
        self.require()
        ray = required_package("ray", "ray")
        try:
            ray.init(self.address or None, logging_level=logging.ERROR, include_dashboard=False)
        except (ConnectionError, ValueError, ray.exceptions.RayError) as error:
            where = self.address or "RAY_ADDRESS"
            raise PlaceError(f"no Ray cluster at {where}: {_cause(error)}") from error
        tasks = Tasks(ray)
        try:
            yield tasks
        finally:
            tasks.close()
            ray.shutdown()


class Tasks:
    """A task for each call."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._call = ray.remote(num_cpus=1, max_retries=RETRIES)(failure_of)
        self._running: list[Any] = []

    def start(self, function: Callable[..., object], values: tuple[Any, ...]) -> Any:
        """Begin a call as soon as a CPU is free."""
        task = self._call.remote(function, values)
        self._running.append(task)
        return task

    def ended(self, seconds: float) -> Sequence[Any]:
        """Wait for tasks to end."""
        ended, self._running = self._ray.wait(self._running, timeout=seconds)
        return list(ended)

    def failure(self, call: Any) -> str:
        """Return the error that ended a task."""
        try:
            return str(self._ray.get(call))
        except self._ray.exceptions.RayError as error:
            return str(error).partition("\n")[0]

    def close(self) -> None:
        """Interrupt what still runs, and wait until it has saved."""
        for task in self._running:
            self._ray.cancel(task)
        if self._running:
            self._ray.wait(self._running, num_returns=len(self._running), timeout=GRACE)


def _cause(error: BaseException) -> str:
    """Return what the first error of a chain says last: before it stand tracebacks of Ray's own."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    return str(error).strip().rpartition("\n")[2].removeprefix("ray.exceptions.")


def _require_listening(address: str) -> None:
    """Refuse an address where nobody is: Ray itself would ask there for minutes."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if not (host and port.isdigit()):
        return  # `auto`, or nothing
    try:
        socket.create_connection((host, int(port)), timeout=10.0).close()
    except (OSError, OverflowError) as error:
        raise PlaceError(f"no Ray cluster at {address}: {error}") from error
