"""Where settings are sought: as configurations declare it, and as people say it."""

import ast
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nets.kinds import Space, Span
from nets.near import hint
from nets.settings import from_plain

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

EXPECTED = "expected NAME, NAME=LOW..HIGH, NAME=LOW..HIGH:log or NAME=A,B,C"


def parse_space(words: Sequence[str], config: Any, kept: Collection[str] = ()) -> Space:
    """Return where to seek which settings.

    Args:
        words: `NAME`, sought where its configuration says; `NAME=1e-4..1e-2:log`; or
            `NAME=32,64,128`. None: all that the configuration declares, but those that are kept.
        config: the settings that the others keep.
        kept: names of settings that all trials keep.

    Raises:
        ValueError: there is no such setting, nothing is declared for it, a value is none of its, or
            it is kept.
    """
    declared: Space = type(config).tunable
    if not words:
        declared = {name: where for name, where in declared.items() if name not in kept}
        if not declared:
            message = f"{type(config).__name__} declares nothing to tune"
            raise ValueError(f"{message}: say --space NAME=LOW..HIGH")
        return declared
    read = [_read(word, config, declared) for word in words]
    space = dict(read)
    if len(space) < len(read):
        names = [name for name, _ in read]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"where to seek {twice} is said twice: expected once")
    if both := [name for name in space if name in kept]:
        value = getattr(config, both[0])
        raise ValueError(f"{both[0]} is kept at {value} and sought, too: say one of them")
    for name, where in space.items():
        for value in (where.low, where.high) if isinstance(where, Span) else where:
            type(config)(**{name: value})  # refuses what cannot be
    return space


def _read(word: str, config: Any, declared: Space) -> tuple[str, Span | tuple[Any, ...]]:
    name, equals, text = word.partition("=")
    name = name.strip().replace("-", "_")
    if name not in vars(config):
        raise ValueError(
            f"{type(config).__name__} has no setting {name!r}: {hint(name, vars(config))}"
        )
    if not equals:
        if name not in declared:
            raise ValueError(f"nothing is declared for {name}: say {name}=LOW..HIGH or {name}=A,B")
        return name, declared[name]
    low, dots, rest = text.partition("..")
    if not dots:
        values = [_value(each) for each in text.split(",")]
        if any(isinstance(value, tuple) for value in values):  # then one number is one of several
            values = [value if isinstance(value, tuple) else (value,) for value in values]
        return name, tuple(values)
    high, _, scale = rest.partition(":")
    ends = _value(low), _value(high)
    numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends)
    if not numbers or scale not in ("", "log"):
        raise ValueError(f"{word!r} is no range: {EXPECTED}")
    if not ends[0] < ends[1]:
        raise ValueError(f"{word!r} begins at {low}, not below {high}: {EXPECTED}")
    if scale and ends[0] <= 0:
        raise ValueError(f"{word!r} has no logarithm at {low}: {EXPECTED}")
    return name, Span(*ends, log=bool(scale))


def _value(text: str) -> Any:
    """Read a number, True, False, None, several of them with spaces between, or a word."""
    words = text.split()
    if len(words) > 1:
        return tuple(map(_value, words))
    try:
        return from_plain({"": ast.literal_eval(text.strip())})[""]
    except (SyntaxError, ValueError):
        return text.strip()


def distribution(where: Span | tuple[Any, ...]) -> "BaseDistribution":
    """Return Optuna's form of where a setting is sought."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(where, Span):
        if isinstance(where.low, int) and isinstance(where.high, int):
            return IntDistribution(where.low, where.high, log=where.log)
        return FloatDistribution(where.low, where.high, log=where.log)
    return CategoricalDistribution([_label(value) for value in where])


def settings_of(params: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Return the settings that Optuna's parameters stand for."""
    settings = dict(params)
    for name, where in space.items():
        if isinstance(where, tuple):
            settings[name] = next(value for value in where if _label(value) == params[name])
    return settings


def _label(value: Any) -> Any:
    """Return a value as Optuna keeps it, who knows no tuples."""
    return " ".join(map(str, value)) if isinstance(value, tuple) else value
