"""Episodes in rows of a vector environment: where they begin, of what seeds, and what ends tell."""

from collections.abc import Iterable, Mapping, Sequence
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.error import Error, ResetNeeded

Rows = npt.NDArray[np.intp]


def rows_to_reset(options: Mapping[str, Any] | None, num_envs: int, *, first: bool) -> Rows:
    """Return where `options["reset_mask"]` (bool `[N]`) is True; without one, all rows.

    Raises:
        TypeError: The mask is no bool array.
        ValueError: It has another shape or is False everywhere.
        ResetNeeded: The very first reset leaves environments out.
    """
    if not options or "reset_mask" not in options:
        return np.arange(num_envs)
    mask = options["reset_mask"]
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        raise TypeError(f"reset_mask must be an array of bool, got {mask!r}")
    if mask.shape != (num_envs,) or not mask.any():
        raise ValueError(f"reset_mask must have shape ({num_envs},) and a True: {mask}")
    if first and not mask.all():
        raise ResetNeeded("the first reset() cannot leave environments out")
    return np.flatnonzero(mask)


def seeds_of(seed: int | Sequence[int | None] | None, num_envs: int) -> list[int | None]:
    """Return a seed per environment: s, s + 1, ... of an integer s; None where none is given.

    Raises:
        TypeError: A seed is no integer.
        ValueError: N seeds were expected.
        Error: A seed is negative.
    """
    if isinstance(seed, int | np.integer):
        return [int(seed) + row for row in range(num_envs)]
    seeds: list[int | None] = [None] * num_envs if seed is None else list(seed)
    if len(seeds) != num_envs:
        raise ValueError(f"expected {num_envs} seeds, one per environment: got {seed}")
    if any(one is not None and index(one) < 0 for one in seeds):
        raise Error(f"a seed is a non-negative integer or None: got {seed}")
    return seeds


def final_info(last: Any, rows: Rows, num_envs: int) -> dict[str, Any]:
    """Return Gymnasium's description of the episodes that end in some rows.

    Args:
        last: their last observations `[R, *]`, or a dict of them.
        rows: `[R]`.
        num_envs: N.
    """
    final = np.full(num_envs, None, object)
    final[rows] = np.fromiter(_each(last, len(rows)), object, len(rows))
    mask = np.zeros(num_envs, bool)
    mask[rows] = True
    return {"final_obs": final, "_final_obs": mask, "final_info": {}, "_final_info": mask.copy()}


def _each(observations: Any, count: int) -> Iterable[Any]:
    """Return what each of `count` environments observes."""
    if isinstance(observations, dict):
        parts = {name: list(_each(part, count)) for name, part in observations.items()}
        return [{name: part[row] for name, part in parts.items()} for row in range(count)]
    return observations.tolist() if observations.ndim == 1 else observations
