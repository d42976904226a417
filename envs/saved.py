"""Where a vector environment was, read from what was saved: arrays that are what they should be."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .dynamics import Dynamics
from .memory import own_state
from .numbers import Array, batch
from .random import BatchRandom


def read_saved(
    saved: Mapping[str, Any], dynamics: Dynamics, n: int, exact: bool
) -> tuple[Any, dict[str, Array]]:
    """Return the state of N environments, or None, and all else by name, as arrays of their own.

    Args:
        saved: a vector's `state_dict()`, or what became of it: arrays, or lists of numbers.
        dynamics: of the vector.
        n: N.
        exact: whether the state is of the types, and has the cells, with which an episode begins.

    Raises:
        ValueError: there are not N environments, or arrays that no vector has saved.
    """
    if (count := np.asarray(saved["stream"]).size) != n:
        raise ValueError(f"expected {n} environments, got {count}")
    kinds = {"stream": np.uint64, "counter": np.uint64, "elapsed": np.int64}
    own = {name: _array(name, saved[name], kind, n) for name, kind in kinds.items()}
    rows = np.asarray(saved["finished"])
    finished = _array("finished", rows, np.int64, rows.size)
    outside = finished[(finished < 0) | (finished >= n)]
    if outside.size:
        raise ValueError(f"the saved finished environments {outside.tolist()} are not of {n}")
    own["finished"] = np.unique(finished)
    if saved["state"] is None:
        return None, own
    begun = own_state(dynamics.initial(batch, BatchRandom(own["stream"])), n)
    state = type(begun)(**saved["state"])
    fields = []
    for name, field, value in zip(state._fields, begun, state, strict=True):
        kind = field.dtype if exact else np.asarray(value).dtype
        cells = field.shape[1:] if exact else np.shape(value)[1:]
        fields.append(_array(name, value, kind, n, *cells))
    return type(begun)(*fields), own


def _array(name: str, value: Any, dtype: npt.DTypeLike, *shape: int) -> Array:
    """Return an array of its own, of numbers that the type has exactly."""
    found = np.array(value)
    if found.shape == shape and found.dtype.kind in "biuf":
        with np.errstate(all="ignore"):
            own = found.astype(dtype, order="C")
        if np.array_equal(own, found, equal_nan=True):
            return own
    expected = f"expected {np.dtype(dtype)} {shape}"
    raise ValueError(f"the saved {name} is {found.dtype} {found.shape}, {expected}")
