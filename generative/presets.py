"""Settings that are known to work, by model and data: `presets.toml`."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from nets.runs import presets

FILE = Path(__file__).with_name("presets.toml")
OF_RUN = ("steps", "size", "limit", "binarize", "collect")


@dataclass(frozen=True)
class Preset(presets.Preset):
    """Tuned settings for one model on one data set.

    Attributes:
        model: its name.
        data: name of the data; of `sprites:...` and the like, what stands before the colon; of a
            world, its id.
        run: what it says of the run: `steps`, `size`, `limit`, `binarize`, `collect`.
        settings: fields of the model's configuration.
        env: arguments of the environment, of a world.
    """

    model: str
    data: str
    run: dict[str, Any]
    settings: dict[str, Any]
    env: dict[str, Any] = field(default_factory=dict)

    @property
    def others(self) -> list[str]:
        """Arguments of the environment, in words."""
        return [presets.describe_setting(name, value) for name, value in self.env.items()]

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
        (model, data): Preset(
            model, data, *presets.read_table(table, OF_RUN, apart=("env",)), table.get("env", {})
        )
        for model, data_sets in tables.items()
        for data, table in data_sets.items()
    }
