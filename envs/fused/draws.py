"""The random numbers of `envs.random` in compiled code."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload_method, register_jitable

from ..random import ODD_A, ODD_B, TO_UNIT

_ODD_A, _ODD_B = np.uint64(ODD_A), np.uint64(ODD_B)
_11, _27, _30, _31, _32 = (np.uint64(shift) for shift in (11, 27, 30, 31, 32))


class Draws(NamedTuple):
    """The draws of one environment at one step, whose methods are those of `ScalarRandom`."""

    counter: np.uint64  # key + G·t


@register_jitable
def mix(word: np.uint64) -> np.uint64:
    """Return splitmix64's hash."""
    word = (word ^ (word >> _30)) * _ODD_A
    word = (word ^ (word >> _27)) * _ODD_B
    return word ^ (word >> _31)


@register_jitable
def bits(random: Draws, draw: int) -> np.uint64:
    """Return the bits of a draw: mix(key + G·t + A·j)."""
    return mix(random.counter + _ODD_A * np.uint64(draw))


@overload_method(types.NamedUniTuple, "below")
def _below(random: Any, n: Any, draw: Any = 0) -> Callable[..., Any] | None:
    if random.instance_class is not Draws:
        return None

    def below(random: Any, n: Any, draw: Any = 0) -> Any:
        return np.int64(((bits(random, draw) >> _32) * np.uint64(n)) >> _32)

    return below


@overload_method(types.NamedUniTuple, "uniform")
def _uniform(
    random: Any, low: Any = 0.0, high: Any = 1.0, draw: Any = 0
) -> Callable[..., Any] | None:
    if random.instance_class is not Draws:
        return None

    def uniform(random: Any, low: Any = 0.0, high: Any = 1.0, draw: Any = 0) -> Any:
        return low + (high - low) * (np.float64(bits(random, draw) >> _11) * TO_UNIT)

    return uniform


@overload_method(types.NamedUniTuple, "uniforms", prefer_literal=True)
def _uniforms(
    random: Any, count: Any, low: Any = 0.0, high: Any = 1.0
) -> Callable[..., Any] | None:
    if random.instance_class is not Draws or not isinstance(count, types.IntegerLiteral):
        return None
    last = count.literal_value - 1

    def none(random: Any, count: Any, low: Any = 0.0, high: Any = 1.0) -> Any:
        return ()

    def several(random: Any, count: Any, low: Any = 0.0, high: Any = 1.0) -> Any:
        return (*random.uniforms(last, low, high), random.uniform(low, high, last))

    return none if last < 0 else several
