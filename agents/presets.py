"""Settings that are known to work, by algorithm and environment: `presets.toml`."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from nets.near import shortened
from nets.registry import Registry
from nets.runs import presets

FILE = Path(__file__).with_name("presets.toml")
OF_RUN = ("steps", "num_envs")
MOST_BYTES, MOST_DOTS = 2**16, 200  # of a file; dotted keys take memory by their square


@dataclass(frozen=True)
class Preset(presets.Preset):
    """Tuned settings for one algorithm on one environment.

    Attributes:
        run: what it says of the run: `steps`, `num_envs`.
        settings: fields of the algorithm's configuration.
        env: arguments of the environment.
        wrappers: of Gymnasium, around it, by name with their arguments, the innermost first.
        name: of a variant of the algorithm, such as `"rainbow"`; None: the algorithm as it is.
        file: of somebody, that it is from; empty: ours.
    """

    algorithm: str
    env_id: str = field(compare=False)
    run: dict[str, Any]
    settings: dict[str, Any]
    env: dict[str, Any] = field(default_factory=dict)
    wrappers: dict[str, dict[str, Any]] = field(default_factory=dict)
    name: str | None = None
    file: str = field(default="", compare=False)

    def __str__(self) -> str:
        variant = "" if self.name is None else f" {self.name}"
        return f"preset{variant} for {self.algorithm} on {self.env_id}"

    @property
    def steps(self) -> int | None:
        """Environment steps of the run; None: not said."""
        return self.run.get("steps")

    @property
    def num_envs(self) -> int | None:
        """Copies of the environment; None: not said."""
        return self.run.get("num_envs")

    @property
    def others(self) -> list[str]:
        """Arguments and wrappers of the environment, in words."""
        arguments = [presets.describe_setting(name, value) for name, value in self.env.items()]
        return arguments + [_call(name, values) for name, values in self.wrappers.items()]

    def over(self, other: "Preset") -> "Preset":
        """Return the settings of both, this one's where both say something."""
        return replace(
            self,
            run=other.run | self.run,
            settings=other.settings | self.settings,
            env=other.env | self.env,
            wrappers=other.wrappers | self.wrappers,
        )


def find_preset(algorithm: str, env_id: str, name: str | None = None) -> Preset | None:
    """Return the preset of an algorithm for `Name-v0` or `module:Name-v0`, if there is one.

    With a name, it is what `load_variants` has under it: over the environment's own preset, if
    any, and under what it says of the environment. The name of a file, `best.toml`, stands for the
    presets in it.

    Raises:
        ValueError: the algorithm has no variant of that name, and the nearest is suggested; or the
            file cannot be read.
    """
    env_id = env_id.rpartition(":")[2]
    if name == "":
        expected = "the name of a variant, or a file that ends in .toml"
        raise ValueError(f"the preset of {algorithm} is {name!r}: expected {expected}")
    if name is not None and name.endswith(".toml"):
        table = _of_file(name).get(algorithm, {}).get(env_id)
        return None if table is None else replace(_preset(algorithm, env_id, table), file=name)
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


def require_preset(algorithm: str, env_id: str, name: str | None = None) -> Preset:
    """Return what `find_preset` finds.

    Raises:
        ValueError: it finds nothing; the nearest that there are is named.
    """
    found = find_preset(algorithm, env_id, name)
    if found is None:
        known = {each: each for kind, each in load_presets() if kind == algorithm}
        if not known:
            raise ValueError(f"there are no presets of {algorithm}")
        raise Registry(f"preset of {algorithm}", known).unknown(env_id)
    return found


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


def _of_file(name: str) -> dict[str, Any]:
    """Return the tables of somebody's file, by algorithm and environment; it may name no code."""
    try:
        if Path(name).stat().st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        text = Path(name).read_text(encoding="utf-8") if Path(name).is_file() else ""
        if any(line.count(".") > MOST_DOTS for line in text.splitlines()):
            raise ValueError(f"a line has more than {MOST_DOTS} dots")
        tables = tomllib.loads(text)
        _require_tables(tables)
    except (OSError, RecursionError, ValueError) as error:
        raise ValueError(f"{name} holds no presets: {error}") from error
    for value in _leaves(list(tables.values())):
        if isinstance(value, str) and ":" in value:
            raise ValueError(f"{name} asks for code, {value!r}: give it on the command line")
    return tables


def _require_tables(tables: dict[str, Any]) -> None:
    """Refuse what is no table by algorithm and environment, with `env` and `wrappers` as tables."""
    for algorithm, by_env in tables.items():
        for env_id, table in _table(by_env, algorithm).items():
            path = f"{algorithm}.{env_id}"
            _table(_table(table, path).get("env", {}), f"{path}.env")
            around = _table(table.get("wrappers", {}), f"{path}.wrappers")
            for name, arguments in around.items():
                _table(arguments, f"{path}.wrappers.{name}")


def _table(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{path} is {shortened(value)}: expected a table")
    return value


def _leaves(value: Any) -> Iterator[Any]:
    """Yield keys and values of tables and lists, however deep."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if not isinstance(value, list):
        yield value
        return
    for each in value:
        yield from _leaves(each)


def _is_env_id(key: str) -> bool:
    """Whether a key names an environment: those of presets have versions."""
    return re.search(r"-v\d+$", key) is not None


def _preset(algorithm: str, env_id: str, table: dict[str, Any], name: str | None = None) -> Preset:
    run, settings = presets.read_table(table, OF_RUN, apart=("env", "wrappers"))
    around = {key: table.get(key, {}) for key in ("env", "wrappers")}
    return Preset(algorithm, env_id, run, settings, name=name, **around)


def _call(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
