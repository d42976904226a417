"""The actions of dreams, as arrays of our own."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import InvalidAction
from numpy.typing import NDArray


def checked(space: gym.Space, actions: Any, count: int) -> NDArray[Any]:
    """Return `count` actions `[count, *]` in the dtype of their space.

    Args:
        space: Discrete or Box, of one.
        actions: any form of an array.
        count: how many there should be.

    Raises:
        InvalidAction: one is not in the space.
    """
    given = np.asarray(actions)
    shape = (count, *(space.shape or ()))
    if given.shape != shape or given.dtype.kind not in "biuf":
        message = f"actions have the shape {given.shape} and the type {given.dtype}"
        raise InvalidAction(f"{message}: expected {shape}, of {space}")
    rows = given.astype(space.dtype)
    if isinstance(space, gym.spaces.Discrete):
        inside = (rows == given) & (rows >= space.start) & (rows < space.start + space.n)
    else:
        assert isinstance(space, gym.spaces.Box)
        inside = (rows >= space.low) & (rows <= space.high)  # False for NaN, too
    if not inside.all():
        raise InvalidAction(f"{given[~inside].flat[0]} is no action of {space}")
    return rows
