"""Kinds of settings, as types that say which values work.

`Count` is `Annotated[int, Range(1)]`: type checkers read `int`, and `unmet(0, Count)` answers
`at least 1`.
"""

import numbers
import operator
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from math import inf, isfinite
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from .code import is_path

LARGEST = 2**53
"""Whole numbers beyond it are no longer told apart where they meet floats."""


@dataclass(frozen=True)
class Range:
    """An interval of finite numbers.

    Attributes:
        low: the smallest.
        high: the largest.
        above: whether `low` itself is left out.
        below: whether `high` itself is left out.
    """

    low: float = -inf
    high: float = inf
    above: bool = False
    below: bool = False

    def __contains__(self, value: float) -> bool:
        from_low = self.low < value if self.above else self.low <= value
        to_high = value < self.high if self.below else value <= self.high
        return isfinite(value) and from_low and to_high

    def __str__(self) -> str:
        if self.high < inf and isinstance(self.high, float):
            ends = "[("[self.above], "])"[self.below]
            return f"a number in {ends[0]}{self.low:g}, {self.high:g}{ends[1]}"
        if self.low > -inf:
            return f"more than {self.low:g}" if self.above else f"at least {self.low:g}"
        return "a finite number"


@dataclass(frozen=True)
class Span:
    """Where good values of a number are sought, both ends included; whole ones between whole ends.

    Attributes:
        low: the smallest.
        high: the largest.
        log: whether orders of magnitude are equally likely.
    """

    low: float
    high: float
    log: bool = False


Space = dict[str, Span | tuple[Any, ...]]
"""Where good values of settings are sought: in spans, or among some."""

Count = Annotated[int, Range(1)]
"""1, 2, …"""
Whole = Annotated[int, Range(0)]
"""0, 1, 2, …"""
Size = Annotated[int, Range(1, 2**20)]
"""How wide a layer is, or how long a vector."""
Capacity = Annotated[int, Range(1, 10**8)]
"""How much is held in memory at a time."""
Copies = Annotated[int, Range(1, 2**16)]
"""How many environments are stepped side by side."""
Threads = Annotated[int, Range(1, 1024)]
"""More make processes end without a word."""
Seed = Annotated[int, Range(0, 2**32 - 1)]
"""What NumPy's generators take."""
Real = Annotated[float, Range()]
"""Any finite number."""
Positive = Annotated[float, Range(0.0, above=True)]
"""(0, ∞)"""
NonNegative = Annotated[float, Range(0.0)]
"""[0, ∞)"""
Share = Annotated[float, Range(0.0, 1.0)]
"""[0, 1]"""
Rate = Annotated[float, Range(0.0, 1.0, above=True)]
"""(0, 1]: how far to move at a time."""
Part = Annotated[float, Range(0.0, 1.0, below=True)]
"""[0, 1): never the whole."""


@dataclass(frozen=True)
class Code:
    """Says that a setting may be people's own code, or `module:name`, where it is imported from.

    Attributes:
        needed: whether nothing works without it; else only learning does not.
    """

    needed: bool = True


@dataclass(frozen=True)
class Place:
    """Says that text is where a file or a folder lies; it is kept as seen from the root."""


Elsewhere = Annotated[str, Place()]
"""Where a run, or a file, of others lies; empty for none."""

Network = Annotated[str | Callable[..., Any], Code()]
"""A name of ours, or a network of one's own: a class, a function, an object."""

Upsampling = Literal["transpose", "nearest", "bilinear"]
"""How pictures are enlarged: a transposed convolution, or resizing before a convolution."""

if TYPE_CHECKING:

    class Schedule:
        """What may be set to a function, and is read as a number."""

        def __get__(self, instance: object, owner: type) -> float:
            """Return the number; who may meet a function asks for `Any`."""
            raise NotImplementedError

        def __set__(self, instance: object, value: float | Callable[[float], float]) -> None:
            """Set a number or a function."""

    RateSchedule = Schedule
else:
    Schedule = Annotated[Positive | str | Callable[[float], float], Code(needed=False)]
    """A number, or a function of what is left of the training, from 1 to 0."""
    RateSchedule = Annotated[Rate | str | Callable[[float], float], Code(needed=False)]
    """The same, of numbers in (0, 1]."""


def changing(default: float) -> Any:
    """Return the default of a `Schedule`, for which type checkers would not take a number."""
    return default


def code_of(hint: Any) -> Code | None:
    """Return what a type says of code; None where it excludes it."""
    extras = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((each for each in extras if isinstance(each, Code)), None)


def is_place(hint: Any) -> bool:
    """Whether a type asks for where something lies."""
    return get_origin(hint) is Annotated and Place() in get_args(hint)[1:]


def _own(value: Any) -> Any:
    """Return a value in Python's own types."""
    if isinstance(value, list | tuple):
        entries = tuple(_own(entry) for entry in value)
        same = isinstance(value, tuple) and all(map(operator.is_, entries, value))
        return value if same else entries
    shape = getattr(value, "shape", None)
    if shape == () and hasattr(value, "item"):
        return value.item()
    if isinstance(value, range) or (shape and hasattr(value, "tolist")):
        return _own(list(value) if isinstance(value, range) else value.tolist())
    return value


def _whole(value: Any, hint: Any) -> Any:
    """Return a value with 1e5 as 100000 wherever its type asks for whole numbers."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is int:
        return int(value) if type(value) is float and value.is_integer() else value
    if origin is Annotated:
        return _whole(value, args[0])
    if origin in (Union, UnionType):
        return next((new for each in args if (new := _whole(value, each)) is not value), value)
    if origin is tuple and isinstance(value, tuple):
        kinds = args[:1] * len(value) if args[-1] is Ellipsis else args
        if len(kinds) == len(value):
            entries = tuple(map(_whole, value, kinds))
            return value if all(map(operator.is_, entries, value)) else entries
    return value


def fitted(value: Any, hint: Any) -> Any:
    """Return a value in Python's own types, 1e5 as a whole number where a type asks for one.

    Where it asks for a place, a path is made to begin at the root.
    """
    if is_place(hint) and isinstance(value, str | Path) and value != "":
        return value if Path(value).is_absolute() else str(Path(value).absolute())
    return _whole(_own(value), hint)


def unmet(value: Any, hint: Any) -> str | None:
    """Return what a type asks for that `value` is not; None where it fits."""
    origin, args = get_origin(hint), get_args(hint)
    if code_of(hint):
        fits = callable(value) or is_path(value)
        return None if fits else unmet(value, get_args(args[0])[0])
    if origin is Annotated:
        kind, limits = args[0], [each for each in args[1:] if isinstance(each, Range)]
        return unmet(value, kind) or (_outside(value, limits[0]) if limits else None)
    if origin is Literal:
        return None if value in args else f"one of {', '.join(map(repr, args))}"
    if origin is tuple:
        return _unmet_by_entries(value, args)
    if origin in (Union, UnionType):
        return None if value is None and NoneType in args else _unmet_by_any(value, args)
    if hint in KINDS:
        abstract, name = KINDS[hint]
        fits = isinstance(value, abstract) and (hint is bool or not isinstance(value, bool))
        return None if fits else name
    return None


def _unmet_by_any(value: Any, hints: tuple[Any, ...]) -> str | None:
    """Return what the first of several types asks for; None where `value` fits one of them."""
    known = [hint for hint in hints if get_origin(hint) in (Annotated, Literal, tuple)]
    lacking = [unmet(value, hint) for hint in dict.fromkeys((hints[0], *known))]
    return None if None in lacking else lacking[0]


KINDS: dict[Any, tuple[type, str]] = {
    bool: (bool, "True or False"),
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "text"),
}


def _unmet_by_entries(value: Any, kinds: tuple[Any, ...]) -> str | None:
    several = kinds[-1] is Ellipsis
    if not isinstance(value, tuple):
        example = f", as in ({value!r},)" if unmet(value, kinds[0]) is None else ""
        return f"several values{example}" if several else f"{len(kinds)} values"
    if not several and len(value) != len(kinds):
        return f"{len(kinds)} values"
    lacking = map(unmet, value, repeat(kinds[0]) if several else kinds)
    return next((f"{each} for each" for each in lacking if each), None)


def _outside(value: Any, limits: Range) -> str | None:
    if isinstance(value, numbers.Integral) and abs(int(value)) > LARGEST:
        return f"a number up to {LARGEST:,}"
    if float(value) in limits:
        return None
    too_many = isinstance(limits.high, int) and value > limits.low
    return f"at most {limits.high:,}" if too_many else str(limits)
