"""Settings that are known to work, by model and data: `presets.toml`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from nets.runs.presets import apply_settings, read_settings

Config = TypeVar("Config")

FILE = Path(__file__).with_name("presets.toml")
OF_RUN = ("steps", "size", "limit", "binarize")


@dataclass(frozen=True)
class Preset:
    """Tuned settings for one model on one data set.

    Attributes:
        model: its name.
        data: name of the data; of `sprites:...` and the like, what stands before the colon.
        run: what it says of the run: `steps`, `size`, `limit`, `binarize`.
        settings: fields of the model's configuration.
    """

    model: str
    data: str
    run: dict[str, Any]
    settings: dict[str, Any]

    def __str__(self) -> str:
        return f"preset for {self.model} on {self.data}"

    def apply(self, config: Config) -> Config:
        """Return `config` with the preset's settings.

        Raises:
            ValueError: the configuration has no such field.
        """
        return apply_settings(config, self.settings, self)


def find_preset(model: str, data: str) -> Preset | None:
    """Return the preset of a model for data such as `ring`, or `sprites:shape,x`, if any."""
    presets = load_presets()
    return presets.get((model, data)) or presets.get((model, data.partition(":")[0]))


@cache
def load_presets() -> dict[tuple[str, str], Preset]:
    """Return all presets by model and data."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {
        (model, data): Preset(
            model,
            data,
            {name: value for name, value in table.items() if name in OF_RUN},
            read_settings(table, apart=OF_RUN),
        )
        for model, data_sets in tables.items()
        for data, table in data_sets.items()
    }
