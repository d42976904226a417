"""Who owns an array's memory, so that no two results of a vector environment ever share any."""

from typing import Any

import numpy as np
import numpy.typing as npt

from .numbers import Array, Number


def owner(array: Array) -> Any:
    """Return the object whose memory an array shows: itself, or what it is a view of."""
    return array if array.base is None else array.base


def own_state(state: Any, n: int) -> Any:
    """Return a state with every field an array `[N]` of its own, or `[N, K]` if it has cells."""
    shapes = ((n, *np.shape(field)[1:]) for field in state)
    fields = map(np.broadcast_to, state, shapes)
    return type(state)(*(np.array(field, order="C") for field in fields))


def own_observation(observation: Any, state: Any) -> Any:
    """Return an observation, or a dict of parts, that shares no memory with the state."""
    fields = {id(owner(field)) for field in state}

    def own(part: Array) -> Array:
        return part.copy() if id(owner(part)) in fields else part

    if isinstance(observation, dict):
        return {name: own(part) for name, part in observation.items()}
    return own(observation)


def separate(
    state: Any, reward: Number, terminated: Number, action: Number, n: int
) -> tuple[Any, npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return a step's results as arrays `[N]` that share no memory with each other or the action.

    The dynamics may have returned constants, or the same array twice.
    """
    taken = {id(owner(part)) for part in (action if isinstance(action, tuple) else (action,))}

    def own(number: Number, dtype: type | None = None) -> Array:
        if not isinstance(number, np.ndarray) or number.ndim == 0:
            return np.full(n, number, dtype)
        array = number if dtype is None else number.astype(dtype, copy=False)
        if id(owner(array)) in taken:
            return array.copy()
        taken.add(id(owner(array)))
        return array

    return type(state)(*map(own, state)), own(reward, np.float64), own(terminated, np.bool_)
