"""Settings that are known to work, by algorithm and environment: `presets.toml`."""

import re
import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from nets.registry import Registry
from nets.runs.presets import apply_settings, read_settings

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
        name: of a variant of the algorithm, such as `"rainbow"`; None: the algorithm as it is.
    """

    algorithm: str
    env_id: str = field(compare=False)
    steps: int | None
    num_envs: int | None
    settings: dict[str, Any]
    env: dict[str, Any] = field(default_factory=dict)
    wrappers: dict[str, dict[str, Any]] = field(default_factory=dict)
    name: str | None = None

    def __str__(self) -> str:
        variant = "" if self.name is None else f" {self.name}"
        return f"preset{variant} for {self.algorithm} on {self.env_id}"

    def over(self, other: "Preset") -> "Preset":
        """Return the settings of both, this one's where both say something."""
        return replace(
            self,
            steps=self.steps or other.steps,
            num_envs=self.num_envs or other.num_envs,
            settings=other.settings | self.settings,
            env=other.env | self.env,
            wrappers=other.wrappers | self.wrappers,
        )

    def apply(self, config: Config) -> Config:
        """Return `config` with the preset's settings.

        Raises:
            ValueError: the configuration has no such field.
        """
        return apply_settings(config, self.settings, self)


def find_preset(algorithm: str, env_id: str, name: str | None = None) -> Preset | None:
    """Return the preset of an algorithm for `Name-v0` or `module:Name-v0`, if there is one.

    With a name, it is what `load_variants` has under it: over the environment's own preset, if
    any, and under what it says of the environment.

    Raises:
        ValueError: the algorithm has no variant of that name; the nearest is suggested.
    """
    env_id = env_id.rpartition(":")[2]
    preset = load_presets().get((algorithm, env_id))
    if name is None:
        return preset
    variants = load_variants().get(algorithm)
    if variants is None:
        raise ValueError(f"{algorithm} has no named presets, and none called {name!r}")
    by_env = Registry(f"preset of {algorithm}", variants)[name]
    found = replace(by_env[None], env_id=env_id)
    if env_id in by_env:
        found = by_env[env_id].over(found)
    return found if preset is None else found.over(preset)


@cache
def load_presets() -> dict[tuple[str, str], Preset]:
    """Return the presets of environments, by algorithm and environment."""
    return {
        (algorithm, env_id): _preset(algorithm, env_id, table)
        for algorithm, tables in _tables().items()
        for env_id, table in tables.items()
        if _is_env_id(env_id)
    }


@cache
def load_variants() -> dict[str, dict[str, dict[str | None, Preset]]]:
    """Return named presets, by algorithm and name; then what holds everywhere, under None, and
    what differs on some environments.
    """
    variants: dict[str, dict[str, dict[str | None, Preset]]] = {}
    for algorithm, tables in _tables().items():
        for name, table in tables.items():
            if not _is_env_id(name):
                by_env: dict[str | None, Any] = {
                    key: table[key] for key in filter(_is_env_id, table)
                }
                by_env[None] = {key: v for key, v in table.items() if key not in by_env}
                variants.setdefault(algorithm, {})[name] = {
                    env_id: _preset(algorithm, env_id or "", settings, name)
                    for env_id, settings in by_env.items()
                }
    return variants


def _tables() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def _is_env_id(key: str) -> bool:
    """Whether a key names an environment: those of presets have versions."""
    return re.search(r"-v\d+$", key) is not None


def _preset(algorithm: str, env_id: str, table: dict[str, Any], name: str | None = None) -> Preset:
    return Preset(
        algorithm,
        env_id,
        table.get("steps"),
        table.get("num_envs"),
        read_settings(table, apart=("steps", "num_envs", "env", "wrappers")),
        env=table.get("env", {}),
        wrappers=table.get("wrappers", {}),
        name=name,
    )
