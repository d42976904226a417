"""Settings that are known to work, by model and data: `presets.toml`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nets.runs import presets

FILE = Path(__file__).with_name("presets.toml")
OF_RUN = ("steps", "size", "limit", "binarize")


@dataclass(frozen=True)
class Preset(presets.Preset):
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


def find_preset(model: str, data: str) -> Preset | None:
    """Return the preset of a model for data such as `ring`, or `sprites:shape,x`, if any."""
    known = load_presets()
    return known.get((model, data)) or known.get((model, data.partition(":")[0]))


@cache
def load_presets() -> dict[tuple[str, str], Preset]:
    """Return all presets by model and data."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {
        (model, data): Preset(model, data, *presets.read_table(table, OF_RUN))
        for model, data_sets in tables.items()
        for data, table in data_sets.items()
    }
