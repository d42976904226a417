"""Dataclasses of settings whose types say which values work.

    @dataclass(frozen=True)
    class Config(Settings):
        hidden: tuple[Count, ...] = (64, 64)
        discount: Share = 0.99
        clip: Positive | None = None
        loss: Literal["huber", "mse"] = "huber"

`Config(discount=2.0)` raises `discount is 2.0: expected a number in [0, 1]`.
"""

import json
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import repeat
from math import inf, isfinite
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints


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
        if self.high < inf:
            ends = "[("[self.above], "])"[self.below]
            return f"a number in {ends[0]}{self.low:g}, {self.high:g}{ends[1]}"
        if self.low > -inf:
            return f"more than {self.low:g}" if self.above else f"at least {self.low:g}"
        return "a finite number"


Count = Annotated[int, Range(1)]
"""1, 2, …"""
Whole = Annotated[int, Range(0)]
"""0, 1, 2, …"""
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
class Settings:
    """Base of dataclasses of settings: refuses values that their types exclude."""

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            ValueError: a value is outside its type's range, or none of its choices.
        """
        hints = get_type_hints(type(self), include_extras=True)
        for field in fields(self):
            value = getattr(self, field.name)
            expected = _unmet(value, hints[field.name])
            if expected is not None:
                raise ValueError(f"{field.name} is {value!r}: expected {expected}")


def _unmet(value: Any, hint: Any) -> str | None:
    """Return what a type asks for that `value` is not; None where it fits."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        kind, limits = args[0], [each for each in args[1:] if isinstance(each, Range)]
        return _outside(value, kind, limits[0]) if limits else _unmet(value, kind)
    if origin is Literal:
        return None if value in args else f"one of {', '.join(map(repr, args))}"
    if origin is tuple:
        kinds = repeat(args[0]) if args[-1] is Ellipsis else args
        unmet = (_unmet(each, kind) for each, kind in zip(value, kinds, strict=False))
        return next((f"{each} for each" for each in unmet if each), None)
    if origin in (Union, UnionType) and value is not None:
        return _unmet(value, args[0])
    return None


def _outside(value: Any, kind: type, limits: Range) -> str | None:
    if kind is int and not isinstance(value, numbers.Integral):
        return "a whole number"
    if not isinstance(value, numbers.Real):
        return "a number"
    return None if float(value) in limits else str(limits)


def from_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as settings hold them: lists, of which JSON and TOML make all, as tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }


def to_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as JSON gives them back: tuples as lists."""
    return json.loads(json.dumps(values))
