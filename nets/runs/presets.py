"""Presets, settings that are known to work: read from TOML, put into a configuration, told of."""

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from ..settings import from_plain

Config = TypeVar("Config")


class Preset:
    """Settings that are known to work; heirs are dataclasses that say for what.

    Attributes:
        run: what it says of the run, such as its `steps`.
        settings: fields of a configuration.
    """

    run: dict[str, Any]
    settings: dict[str, Any]

    @property
    def others(self) -> list[str]:
        """What else it sets, in words; nothing overrides that."""
        return []

    def apply(self, config: Config) -> Config:
        """Return `config` with the preset's settings.

        Raises:
            ValueError: the configuration has no such field.
        """
        unknown = self.settings.keys() - {each.name for each in fields(config)}  # type: ignore[arg-type]
        if unknown:
            message = f"the {self} sets {sorted(unknown)}"
            raise ValueError(f"{message}, which {type(config).__name__} does not have")
        return replace(config, **self.settings)  # type: ignore[type-var]

    def describe(self, options: Any) -> str:
        """Name the preset's values, and on a second line those that others override, with them.

        Args:
            options: what is in force: of the run, and `config` of the settings.
        """
        used, overridden = self.others, list[str]()
        for holder, values in ((options, self.run), (options.config, self.settings)):
            for name, value in values.items():
                told, now = describe_setting(name, value), getattr(holder, name)
                if now == value:
                    used.append(told)
                else:
                    overridden.append(f"{told}, now {_written(now)}")
        text = f"{self}: {', '.join(used) or 'nothing'}"
        return text + (f"\noverridden: {'; '.join(overridden)}" if overridden else "")


def start_from(preset: Preset | None, config: Config) -> tuple[Config, dict[str, Any]]:
    """Return `config`, and what is said of the run, under a preset where there is one.

    Raises:
        ValueError: the configuration lacks a field that the preset sets.
    """
    return (config, {}) if preset is None else (preset.apply(config), preset.run)


def read_table(
    table: Mapping[str, Any], of_run: Collection[str], apart: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what `table` says of the run, and of settings; the names in `apart` are neither."""
    run = {name: value for name, value in table.items() if name in of_run}
    return run, from_plain({k: v for k, v in table.items() if k not in {*of_run, *apart}})


def describe_setting(name: str, value: Any) -> str:
    """Write a setting for people, such as `steps = 50,000` or `hidden = 64 64`."""
    return f"{name} = {_written(value)}"


def _written(value: Any) -> str:
    number = f"{value:,}" if type(value) is int and value >= 10_000 else str(value)
    return " ".join(map(str, value)) if isinstance(value, tuple) else number
