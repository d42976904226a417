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
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_type_hints

from .code import own
from .described import Described
from .keywords import Keywords
from .kinds import Code, Space, code_of, fitted, is_place, unmet
from .near import shortened

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SettingsT = TypeVar("SettingsT")


@dataclass(frozen=True)
class Settings(Keywords):
    """Base of dataclasses of settings: refuses values that their types exclude."""

    adjustable: ClassVar[tuple[str, ...]] = ()
    """Names of the settings that may change between two steps of a training."""
    shaping: ClassVar[tuple[str, ...]] = ()
    """Names of those without which the weights of networks mean something else."""
    tunable: ClassVar[Space] = {}
    """Where good values are sought."""

    only_with: ClassVar[Mapping[str, tuple[str, tuple[Any, ...]]]] = {}
    """Settings that mean something only where another has one of some values."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Let `help` tell of every field what its docstring says."""
        super().__init_subclass__(**options)
        if isinstance(text := vars(cls).get("__doc__"), str):
            cls.__doc__ = Described(text)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            ValueError: a value is of another type, outside its range, or none of its choices.
        """
        check(self)


def check(settings: "DataclassInstance", *apart: str) -> None:
    """Refuse values that the types of a dataclass exclude.

    Lists become tuples, numbers of NumPy and torch Python's own, and 1e5 is a whole number.

    Args:
        settings: the dataclass.
        apart: fields that are not looked at.

    Raises:
        ValueError: naming the field, its value, and what was expected.
    """
    hints = get_type_hints(type(settings), include_extras=True)
    for name in (field.name for field in fields(settings) if field.name not in apart):
        value = getattr(settings, name)
        hint = hints[name]
        ours = own(value) if code_of(hint) and callable(value) else fitted(value, hint)
        if ours is not value:
            object.__setattr__(settings, name, value := ours)
        expected = unmet(value, hint)
        if expected is not None:
            raise ValueError(f"{name} is {value!r}: expected {expected}")


def settings_of(kind: type[SettingsT], config: SettingsT | None) -> SettingsT:
    """Return the settings that were given, or the defaults where none were.

    Raises:
        TypeError: they are of something else.
    """
    if config is None:
        return kind()
    if not isinstance(config, kind):
        raise TypeError(f"config is {shortened(config)}: expected {kind.__name__}(...)")
    return config


def required(name: str, value: Any, kind: Any) -> Any:
    """Return an argument in Python's own type; refuse what its type excludes.

    Args:
        name: of the argument.
        value: what was given.
        kind: as the types of settings, such as `Count`.

    Raises:
        ValueError: naming the argument, its value, and what was expected.
    """
    value = fitted(value, kind)
    expected = unmet(value, kind)
    if expected is not None:
        raise ValueError(f"{name} is {value!r}: expected {expected}")
    return value


@cache
def code_fields(kind: type) -> dict[str, Code]:
    """Return which settings of a dataclass may be code."""
    hints = get_type_hints(kind, include_extras=True)
    found = {field.name: code_of(hints[field.name]) for field in fields(kind)}
    return {name: code for name, code in found.items() if code is not None}


@cache
def place_fields(kind: "type[DataclassInstance]") -> frozenset[str]:
    """Return which settings of a dataclass say where something lies."""
    hints = get_type_hints(kind, include_extras=True)
    return frozenset(field.name for field in fields(kind) if is_place(hints[field.name]))


def from_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as settings hold them: lists, of which JSON and TOML make all, as tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }


def to_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as JSON gives them back: tuples as lists."""
    return json.loads(json.dumps(values))
