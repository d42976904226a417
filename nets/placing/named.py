"""Places as people name them: `local:4`, `ray:10.0.0.1:6379`, `slurm:partition=gpu`."""

import re
from collections.abc import Callable

from ..registry import Registry
from .each import Place
from .local import Local
from .ray_cluster import Ray
from .slurm import Slurm


def place_named(text: str, jobs: int | None = None) -> Place:
    """Return the place that `text` names.

    Args:
        text: `local[:N]`, `ray[:ADDRESS]` or `slurm[:NAME=VALUE,...]`.
        jobs: how many calls at a time; None: one here, and as many as there is room for elsewhere.

    Raises:
        ValueError: it names none, or says otherwise than `jobs`.
    """
    name, _, rest = text.partition(":")
    return PLACES[name](rest, jobs)


def _local(rest: str, jobs: int | None) -> Local:
    if not rest:
        return Local(jobs or 1)
    if not rest.isdigit() or int(rest) < 1:
        raise ValueError(f"local:{rest} names no number of processes: expected such as local:4")
    if jobs not in (None, int(rest)):
        raise ValueError(f"local:{rest} is {rest} processes, but jobs is {jobs}: give one of them")
    return Local(int(rest))


def _ray(rest: str, jobs: int | None) -> Ray:
    if rest not in ("", "auto") and not re.search(r"[^/:]:\d+$", rest):
        message = "expected HOST:PORT, such as ray:127.0.0.1:6379, or ray for RAY_ADDRESS"
        raise ValueError(f"ray:{rest} names no cluster: {message}")
    return Ray(rest) if jobs is None else Ray(rest, jobs)


def _slurm(rest: str, jobs: int | None) -> Slurm:
    pairs = [pair.partition("=") for pair in rest.split(",")] if rest else []
    for name, equals, value in pairs:
        if not (name and equals and value):
            message = "expected NAME=VALUE, such as slurm:partition=gpu,timeout_min=600"
            raise ValueError(f"slurm:{rest} has {name!r}: {message}")
    settings = {name: value for name, _, value in pairs}
    return Slurm(settings) if jobs is None else Slurm(settings, jobs)


Named = Callable[[str, int | None], Place]
PLACES: Registry[Named] = Registry("place", {"local": _local, "ray": _ray, "slurm": _slurm})
