"""Settings that are known to work, by algorithm and environment: `presets.toml`."""

import tomllib
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

Config = TypeVar("Config")

FILE = Path(__file__).with_name("presets.toml")


@dataclass(frozen=True)
class Preset:
    """Tuned settings for one algorithm on one environment.

    Attributes:
        steps: environment steps of the run; None: not said.
        num_envs: copies of the environment; None: not said.
        settings: fields of the algorithm's configuration.
        env: arguments of the environment.
        wrappers: of Gymnasium, around it, by name with their arguments, the innermost first.
    """

    algorithm: str
    env_id: str
    steps: int | None
    num_envs: int | None
    settings: dict[str, Any]
    env: dict[str, Any] = field(default_factory=dict)
    wrappers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def apply(self, config: Config) -> Config:
        """Return `config` with the preset's settings.

        Raises:
            ValueError: the configuration has no such field.
        """
        unknown = self.settings.keys() - {field.name for field in fields(config)}  # type: ignore[arg-type]
        if unknown:
            message = f"the preset for {self.algorithm} on {self.env_id} sets {sorted(unknown)}"
            raise ValueError(f"{message}, which {type(config).__name__} does not have")
        return replace(config, **self.settings)  # type: ignore[type-var]


def find_preset(algorithm: str, env_id: str) -> Preset | None:
    """Return the preset of an algorithm for `Name-v0` or `module:Name-v0`, if there is one."""
    return load_presets().get((algorithm, env_id.rpartition(":")[2]))


@cache
def load_presets() -> dict[tuple[str, str], Preset]:
    """Return all presets by algorithm and environment."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {
        (algorithm, env_id): Preset(
            algorithm,
            env_id,
            table.pop("steps", None),
            table.pop("num_envs", None),
            env=table.pop("env", {}),
            wrappers=table.pop("wrappers", {}),
            settings={name: tuple(v) if isinstance(v, list) else v for name, v in table.items()},
        )
        for algorithm, environments in tables.items()
        for env_id, table in environments.items()
    }
