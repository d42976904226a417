"""A step of N environments as one compiled function, for which `envs.vector` is the text."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload, register_jitable

from ..dynamics import Dynamics
from ..numbers import Array
from ..random import GOLDEN
from . import numbers
from .draws import Draws, mix
from .text import PARTS, constants_of, functions_of
from .translation import RULES, Translator

_GOLDEN = np.uint64(GOLDEN)
_CHECKED: Any = {"boundscheck": True}
Advance = Any  # a function of numba's


def advance_of(dynamics: Dynamics, kind: type, name: str) -> Advance:
    """Return the compiled step of a world.

    Args:
        dynamics: the world.
        kind: of its states.
        name: of its text. Numba looks into modules while it compiles, and knows them by their
            names, as do the files of its cache: equal names are equal texts.
    """
    translator, texts = Translator(f"{name}_self"), ModuleType(name)
    for constant, value in constants_of(dynamics).items():
        setattr(translator.world, constant, translator.of(value))
    for part, function in zip(PARTS, functions_of(dynamics), strict=True):
        setattr(texts, part, translator.function(function))
    texts.__dict__.update(world=translator.world, kind=kind)
    sys.modules[name] = texts
    return _advance_of(texts)


def _advance_of(texts: ModuleType) -> Advance:
    @register_jitable
    def begin(i: int, clock: int, stream: Array, counter: Array, start: Array, state: Any) -> None:
        stream[i] += _GOLDEN
        counter[i] = mix(stream[i])
        start[i] = clock
        write(state, i, texts.initial(texts.world, numbers, Draws(counter[i])))

    def advance(
        clock: int,
        limit: int,
        same_step: bool,
        finished: Array,
        stream: Array,
        counter: Array,
        start: Array,
        action: Any,
        observation: Array,
        reward: Array,
        terminated: Array,
        truncated: Array,
        final: Array,
        *state: Array,
    ) -> int:
        """Advance N environments; return how many episodes end.

        Args:
            clock: steps of the vector, this one counted.
            limit: steps after which an episode is truncated.
            same_step: whether an episode that ends is followed by the next at once.
            finished: rows whose next episode begins in this step.
            stream: `[N]`, changed where an episode begins.
            counter: `[N]`, changed.
            start: `[N]`, on what clock episodes began; changed where one does.
            action: `[N]`, or a tuple of K arrays `[N]`.
            observation: `[N, *]`, written.
            reward: `[N]`, written.
            terminated: `[N]`, written.
            truncated: `[N]`, written.
            final: `[N, *]`, written where an episode ends and the next begins.
            *state: a field each, `[N]` or `[N, K]`, changed.
        """
        for i in range(len(counter)):
            counter[i] += _GOLDEN
            random, here = Draws(counter[i]), texts.kind(*read(state, i))
            after, reward[i], terminated[i] = texts.step(
                texts.world, numbers, here, read(action, i), random
            )
            truncated[i] = start[i] <= clock - limit
            write(state, i, after)
        for i in finished:
            begin(i, clock, stream, counter, start, state)
            reward[i] = 0.0
            terminated[i] = truncated[i] = False
        ended = 0
        for i in range(len(counter)):
            seen = texts.observe(texts.world, numbers, texts.kind(*read(state, i)))
            if terminated[i] | truncated[i]:
                ended += 1
                if same_step:
                    show(final, i, seen)
                    begin(i, clock, stream, counter, start, state)
                    seen = texts.observe(texts.world, numbers, texts.kind(*read(state, i)))
            show(observation, i, seen)
        return ended

    # by this numba names the files of its cache: no two texts share one, so that it does no harm if
    # processes write them at the same moment
    advance.__qualname__ = texts.__name__.rpartition(".")[-1]
    try:
        return njit(cache=True, **RULES)(advance)
    except RuntimeError:  # there is no folder to keep it in
        return njit(**RULES)(advance)


def read(fields: Any, i: int) -> Any:
    """Return row i of an array, or of a tuple of arrays as a tuple."""


@overload(read)
def _reading(fields: Any, i: Any) -> Callable[..., Any]:
    def one(fields: Any, i: Any) -> Any:
        return fields[i]

    def none(fields: Any, i: Any) -> Any:
        return ()

    def several(fields: Any, i: Any) -> Any:
        return (fields[0][i], *read(fields[1:], i))

    if not isinstance(fields, types.BaseTuple):
        return one
    return several if len(fields) else none


def show(rows: Array, i: int, seen: Any) -> None:
    """Write an array `[*]`, or a number, into row i of `[N, *]`."""


@overload(show, jit_options=_CHECKED)
def _showing(rows: Any, i: Any, seen: Any) -> Callable[..., None]:
    def number(rows: Any, i: Any, seen: Any) -> None:
        rows[i] = seen

    def vector(rows: Any, i: Any, seen: Any) -> None:
        for k in range(rows.shape[1]):
            rows[i, k] = seen[k]

    def picture(rows: Any, i: Any, seen: Any) -> None:
        row, numbers = rows[i].reshape(-1), seen.reshape(-1)
        for k in range(len(row)):
            row[k] = numbers[k]

    if not isinstance(seen, types.Array):
        return number
    return vector if seen.ndim == 1 else picture


def write(fields: Any, i: int, row: Any) -> None:
    """Write a tuple into row i of arrays."""


@overload(write)
def _writing(fields: Any, i: Any, row: Any) -> Callable[..., None]:
    def none(fields: Any, i: Any, row: Any) -> None:
        return

    def several(fields: Any, i: Any, row: Any) -> None:
        fields[0][i] = row[0]
        write(fields[1:], i, row[1:])

    return several if len(fields) else none
