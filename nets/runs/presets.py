"""Presets, settings that are known to work: read from TOML, put into a configuration, told of."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from ..settings import from_plain

Config = TypeVar("Config")


def read_settings(table: Mapping[str, Any], apart: Collection[str]) -> dict[str, Any]:
    """Return what `table` sets, without the names in `apart`."""
    return from_plain({name: value for name, value in table.items() if name not in apart})


def apply_settings(config: Config, settings: Mapping[str, Any], preset: object) -> Config:
    """Return `config` with the `settings` of `preset`, which the error names.

    Raises:
        ValueError: the configuration has no such field.
    """
    unknown = settings.keys() - {field.name for field in fields(config)}  # type: ignore[arg-type]
    if unknown:
        message = f"the {preset} sets {sorted(unknown)}"
        raise ValueError(f"{message}, which {type(config).__name__} does not have")
    return replace(config, **settings)  # type: ignore[type-var]


def describe_settings(
    preset: object, asked: Iterable[tuple[object, Mapping[str, Any]]], also: Iterable[str] = ()
) -> str:
    """Name the values of a preset, and on a second line those that are overridden.

    Args:
        preset: what is described.
        asked: what it sets, by name, each with the object whose attributes are in force.
        also: other things that it sets and nothing overrides.
    """
    used, overridden = list(also), list[str]()
    for holder, values in asked:
        for name, value in values.items():
            kept = getattr(holder, name) == value
            (used if kept else overridden).append(describe_setting(name, value))
    text = f"{preset}: {', '.join(used) or 'nothing'}"
    return text + (f"\noverridden: {', '.join(overridden)}" if overridden else "")


def describe_setting(name: str, value: Any) -> str:
    """Write a setting for people, such as `steps = 50,000` or `hidden = 64 64`."""
    number = f"{value:,}" if type(value) is int and value >= 10_000 else value
    shown = " ".join(map(str, value)) if isinstance(value, tuple) else number
    return f"{name} = {shown}"
