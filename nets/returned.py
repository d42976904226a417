"""What others' environments return beside observations: rewards and flags, made ours or refused."""

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from .counted import counted
from .foreign import InvalidExperience as InvalidExperience
from .near import shortened

Array = NDArray[Any]

STEP = ("observation", "reward", "terminated", "truncated", "info")
BOOL = np.dtype(bool)
LARGEST = float(np.finfo(np.float32).max)
"""Numbers beyond are infinite where they are learned from."""


def as_array(value: Any) -> Array:
    """Return what somebody gave as an array; tensors leave their graph and their device.

    Raises:
        ValueError: it is none, such as lists of different lengths.
    """
    try:
        return np.asarray(value)
    except (RuntimeError, TypeError):  # what torch says to NumPy of such tensors
        pass
    try:
        return np.asarray(_detached(value))
    except (RuntimeError, TypeError) as error:
        raise ValueError(str(error)) from error


def _detached(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_detached(each) for each in value]
    return value.detach().cpu() if hasattr(value, "detach") else value


class Returned:
    """Makes arrays of our own of the rewards and flags that an environment returns.

    Args:
        name: what errors call the environment.

    Attributes:
        steps: how many have been taken, for errors to tell.
    """

    def __init__(self, name: str) -> None:
        self.name, self.steps = name, 0

    def begun(self, result: Any) -> tuple[Any, Any]:
        """Return observation and info, as a reset gives them.

        Raises:
            InvalidExperience: naming environment, step, value and what was expected.
        """
        if not isinstance(result, tuple | list) or len(result) != 2:
            self.refuse("from reset", _counted(result), "(observation, info)")
        return result[0], result[1]

    def stepped(self, result: Any) -> Sequence[Any]:
        """Return the five things that a step gives; raises likewise."""
        if not isinstance(result, tuple | list) or len(result) != 5:
            self.refuse("from step", _counted(result), f"({', '.join(STEP)})")
        return result

    def reward(self, value: Any) -> Array:
        """Return the reward of one environment, float64 `[1]`.

        Raises:
            InvalidExperience: naming environment, step, value and what was expected.
        """
        if type(value) is float and -LARGEST <= value <= LARGEST:
            return np.array([value])
        return self.rewards(value, 1)

    def rewards(self, value: Any, count: int) -> Array:
        """Return the rewards of `count` environments, float64 `[count]`; raises likewise."""
        if type(value) is np.ndarray and value.dtype.kind == "f" and value.shape == (count,):
            rows = value.astype(np.float64)
            if rows.dot(rows) <= LARGEST * LARGEST:  # so none of them is larger, or NaN
                return rows
        try:
            given = as_array(value)
            if given.dtype.kind in "UScmM" or np.ma.is_masked(value):  # made numbers by NumPy
                raise TypeError
            if given.dtype.kind == "O" and any(each is None for each in given.flat):
                raise TypeError
            rows = given.astype(np.float64).reshape(-1)
        except (TypeError, ValueError, OverflowError):
            self.refuse("the reward", shortened(value), "a number")
        if len(rows) != count:
            self.refuse("rewards of shape", given.shape, f"({count},)")
        size = np.abs(rows)
        if not np.maximum.reduce(size) <= LARGEST:  # not so of NaN, too
            bad = rows[~(size <= LARGEST)][0]
            self.refuse("the reward", bad, "a finite number of 32 bits")
        return rows

    def flag(self, value: Any) -> bool:
        """Return the flag of one environment; raises likewise."""
        return value if type(value) is bool else bool(self.flags(value, 1)[0])

    def flags(self, value: Any, count: int) -> Array:
        """Return the flags of `count` environments, bool `[count]`; raises likewise."""
        if type(value) is np.ndarray and value.dtype is BOOL and value.shape == (count,):
            return value.copy()
        try:
            given = as_array(value)
        except ValueError:
            self.refuse("the flag", shortened(value), "True or False")
        rows = given.astype(bool).reshape(-1)
        if len(rows) != count:
            self.refuse("flags of shape", given.shape, f"({count},)")
        odd = given.dtype.kind not in "biuf"
        if odd or (given.dtype.kind == "f" and np.count_nonzero(rows != given.reshape(-1))):
            self.refuse("the flag", shortened(value), "True or False")
        return rows

    def info(self, value: Any) -> dict[str, Any]:
        """Return what one environment tells beside; raises likewise."""
        if not isinstance(value, dict):
            self.refuse("the info", shortened(value), "a dict")
        return value

    def infos(self, value: Any, count: int) -> dict[str, Any]:
        """Return what `count` environments tell beside, by name; raises likewise.

        Some tell it one by one, as Gymnasium's `DictInfoToList` has it.
        """
        if isinstance(value, dict):
            return value
        if not isinstance(value, list | tuple) or len(value) != count:
            self.refuse("the info", shortened(value), f"a dict, or {count} of them")
        each = [self.info(one) for one in value]
        told: dict[str, Any] = {}
        for name in dict.fromkeys(name for one in each for name in one):
            told[name], told[f"_{name}"] = np.empty(count, object), np.zeros(count, bool)
            for k, one in enumerate(each):
                told[name][k], told[f"_{name}"][k] = one.get(name), name in one
        return told

    def refuse(self, what: str, value: object, expected: str) -> NoReturn:
        """Raise `InvalidExperience`, naming the environment and the step."""
        said = f"{self.name} returned {what} {value} at step {self.steps}"
        raise InvalidExperience(f"{said}: expected {expected}")


def _counted(result: Any) -> str:
    """Return how many things were returned, or, where it is one, that."""
    if isinstance(result, tuple | list):
        return counted(len(result), "value")
    return shortened(result)
