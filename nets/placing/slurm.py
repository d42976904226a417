"""Slurm, by submitit: each call is a job of its own."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .calls import PlaceError, failure_of, required_package

COMMON = ("timeout_min", "mem_gb", "cpus_per_task", "gpus_per_node", "name")  # to all clusters


@dataclass(frozen=True)
class Slurm:
    """A cluster that Slurm rules, whose machines see our folders under one path.

    A job that is preempted, or comes to its time limit, is queued again and goes on.

    Attributes:
        settings: what Slurm is asked for, by its names (`partition`, `account`) and those of
            `COMMON`.
        jobs: how many jobs at a time.
        cluster: `slurm`, or submitit's `local`: processes here that are treated as jobs.
        logs: folder of what jobs print.
    """

    settings: dict[str, str] = field(default_factory=dict)
    jobs: int = 10_000
    cluster: str = "slurm"
    logs: Path = Path("runs/slurm")

    def require(self) -> None:
        """Refuse to go on without submitit, without Slurm, or with a setting that it has not."""
        self._executor()

    @property
    def sharing(self) -> int:
        """Each job has its CPU for itself."""
        return 1

    @contextmanager
    def workers(self) -> "Iterator[SlurmJobs]":
        """Cancel, when left, what is still queued or runs.

        Raises:
            PlaceError: submitit is not installed, there is no Slurm here, or no such setting.
        """
        jobs = SlurmJobs(self._executor())
        try:
            yield jobs
        finally:
            jobs.close()

    def _executor(self) -> Any:
        submitit = required_package("submitit", "slurm")
        try:
            executor = submitit.AutoExecutor(folder=self.logs, cluster=self.cluster)
            asked = {_submitits(name): _value(text) for name, text in self.settings.items()}
            executor.update_parameters(**{"name": "dreamgym", "cpus_per_task": 1} | asked)
        except (RuntimeError, NameError, AssertionError) as error:
            raise PlaceError(str(error).partition("\n")[0]) from error
        return executor


class SlurmJobs:
    """A job for each call."""

    def __init__(self, executor: Any) -> None:
        self._executor = executor
        self._running: list[Any] = []

    def start(self, function: Callable[..., object], values: tuple[Any, ...]) -> Any:
        """Submit a call."""
        job = self._executor.submit(Resumable(function, values))
        self._running.append(job)
        return job

    def ended(self, seconds: float) -> Sequence[Any]:
        """Look who is done, waiting so long where nobody is."""
        ended = [job for job in self._running if job.done()]
        if not ended:
            time.sleep(seconds)
        self._running = [job for job in self._running if job not in ended]
        return ended

    def failure(self, call: Any) -> str:
        """Return the error that ended a job."""
        error = call.exception()  # of the job: those of the call are its result
        return str(call.result()) if error is None else str(error).partition("\n")[0]

    def close(self) -> None:
        """Cancel what still runs."""
        for job in self._running:
            job.cancel()


@dataclass(frozen=True)
class Resumable:
    """A call that is submitted again as it is, when its job has to make room."""

    function: Callable[..., object]
    values: tuple[Any, ...]

    def __call__(self) -> str:
        """Make the call, and return its error in a sentence."""
        return failure_of(self.function, self.values)

    def checkpoint(self) -> Any:
        """Return what is to be submitted instead."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def _submitits(name: str) -> str:
    return name if name in COMMON else f"slurm_{name}"


def _value(text: str) -> int | str:
    return int(text) if text.isdigit() else text
