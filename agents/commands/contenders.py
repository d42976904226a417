"""Who takes part in a comparison: `ppo,ppo:encoder=mlp,sb3-ppo`."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

import tyro

from nets.kinds import Copies, Count, Threads
from nets.near import hint
from nets.runs.presets import start_from
from nets.settings import check
from nets.shell.command_line import CommandError, read, told
from nets.shell.figure_options import FigureOptions
from nets.tracking.names import TrackerName

from ..algorithms import ALGORITHMS, find_algorithm
from ..presets import Preset, find_preset
from .options import DEFAULT_STEPS
from .worlds import WorldOptions

if TYPE_CHECKING:
    from ..environments.source import EnvSource
    from ..outcomes.comparison import Contender

Config = TypeVar("Config")

VARIANT = "preset="


@dataclass(frozen=True, kw_only=True)
class RunsOptions(FigureOptions, WorldOptions):
    """How the runs of contenders go."""

    steps: Annotated[Count | None, tyro.conf.arg(metavar="N")] = None
    """Environment steps of a run; by default what each preset says, else the longest of these."""
    num_envs: Annotated[Copies | None, tyro.conf.arg(metavar="N")] = None
    """Environments side by side; by default what each preset says, else the algorithm's."""
    eval_episodes: Count = 20
    """Episodes of each of the twenty evaluations of a run."""
    eval_max_steps: Annotated[Count | None, tyro.conf.arg(metavar="N")] = None
    """Steps after which an episode of an evaluation is cut off; by default 1000, or a longer time
    limit's."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where networks live; auto: the GPU where there is one."""
    track: TrackerName | None = None
    """Tracker to tell of every run, by its contender's name and its seed."""
    on: Annotated[str, tyro.conf.arg(metavar="PLACE")] = "local"
    """Where runs are computed: local[:N], processes here; ray[:ADDRESS]; slurm[:NAME=VALUE,...]."""
    jobs: Annotated[Threads | None, tyro.conf.arg(metavar="N")] = None
    """Runs at a time; by default one here, and as many as there is room for on a cluster."""


@dataclass(frozen=True)
class Settings(Generic[Config]):
    """What a preset, and a label, can say."""

    config: Config
    steps: Count
    num_envs: Copies

    def __post_init__(self) -> None:
        check(self, "config")


def require_form(words: Sequence[str]) -> None:
    """Refuse contenders in several words, or behind their environment.

    Raises:
        CommandError: naming the form that was meant.
    """
    names = [word.strip(",") for word in takewhile(lambda word: word[:1] != "-", words)]
    known = [name for name in names if name.split(",")[0].partition(":")[0] in ALGORITHMS]
    others = [name for name in names if name not in known]
    if known and len(others) == 1 and (len(known) > 1 or names[0] not in known):
        form = f"{','.join(known)} {others[0]}"
        raise CommandError(f"algorithms come first, with commas between: {form}")


def parse_contenders(
    text: str,
    source: "EnvSource",
    steps: int | None = None,
    num_envs: int | None = None,
    adapted: "Callable[[EnvSource], EnvSource]" = lambda source: source,
) -> list["Contender"]:
    """Return the contenders that `text` names, on the environment.

    A contender is an algorithm and what it does otherwise than its preset says:
    `ALGO:FIELD=VALUE:FIELD=VALUE`, where the fields are those of its settings, `steps`,
    `num_envs` and `preset`, which names a variant. Without `steps`, each trains as long as its
    preset says, and those without a preset as long as the longest of the others.

    Args:
        text: contenders, with commas between them.
        source: the environment, which decides the presets.
        steps: of everybody, above the presets.
        num_envs: of everybody, above the presets.
        adapted: changes the environment further than the presets do.

    Raises:
        CommandError: an unknown algorithm, variant or setting, or a contender named twice.
        ValueError: what a preset puts around the environment does not exist.
    """
    labels = [label.strip() for label in text.split(",")]
    for label in labels:
        if not all(map(str.strip, label.split(":"))):
            expected = "ALGO or ALGO:FIELD=VALUE, with commas between contenders"
            raise CommandError(f"{text!r} names a contender {label!r}: expected {expected}")
        if labels.count(label) > 1:
            raise CommandError(f"{label!r} is named twice")
    presets = [_preset(label, source) for label in labels]
    known = [preset.steps for preset in presets if preset is not None and preset.steps]
    longest = max(known, default=DEFAULT_STEPS)
    return [
        _contender(label, source, preset, steps or longest, steps, num_envs, adapted)
        for label, preset in zip(labels, presets, strict=True)
    ]


def kept_by(label: str) -> set[str]:
    """Return the names of the settings that a contender's label gives."""
    return {_name(setting) for setting in label.split(":")[1:]}


def _name(setting: str) -> str:
    return setting.partition("=")[0].strip().replace("-", "_")


def _preset(label: str, source: "EnvSource") -> Preset | None:
    """Return what a contender starts from: the preset of the environment, or a variant."""
    name, *settings = label.split(":")
    variant = next((each for each in settings if each.startswith(VARIANT)), None)
    with told(ValueError):
        find_algorithm(name)
        preset = find_preset(name, source.name, variant and variant.removeprefix(VARIANT))
    if variant is not None and preset is None:
        raise CommandError(f"{label}: it has no settings of {name} on {source.name}")
    return preset


def _contender(
    label: str,
    source: "EnvSource",
    preset: Preset | None,
    default: int,
    steps: int | None,
    num_envs: int | None,
    adapted: "Callable[[EnvSource], EnvSource]",
) -> "Contender":
    from ..outcomes.comparison import Contender

    name, *settings = label.split(":")
    algorithm = find_algorithm(name)
    config, run = start_from(preset, algorithm.config_type()())
    start = Settings(
        config,
        steps=steps or run.get("steps", default),
        num_envs=num_envs or run.get("num_envs", algorithm.num_envs),
    )
    chosen = _parse(label, list(_arguments(label, settings, start)), start)
    if preset is not None:
        source = source.adapted(preset.env, preset.wrappers, said_by=preset.file)
    copies = replace(adapted(source), num_envs=chosen.num_envs)
    return Contender(label, name, chosen.config, copies, chosen.steps)


def _parse(label: str, arguments: Sequence[str], start: Settings[Any]) -> Settings[Any]:
    flat = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagConversionOff)
    kind: type[Settings[Any]] = Settings[type(start.config)]  # type: ignore[misc, assignment]
    try:
        return read(kind, label, arguments, "", start, flat)
    except CommandError as error:
        raise CommandError(f"{label}: {str(error).removeprefix('--')}") from error


def _arguments(label: str, settings: Sequence[str], start: Settings[Any]) -> Iterator[str]:
    """Return `FIELD=VALUE` as the command line would have it."""
    known = {field.name for field in fields(start.config)} | {"steps", "num_envs", "preset"}
    for setting in settings:
        if setting.startswith(VARIANT):
            continue
        name, (_, equals, value) = _name(setting), setting.partition("=")
        if not equals:
            raise CommandError(f"{label}: {setting!r} is no setting, expected FIELD=VALUE")
        if name not in known:
            raise CommandError(f"{label}: no setting {name!r}: {hint(name, known)}")
        yield f"--{name}"
        yield from (re.sub("^(true|false|none)$", _capital, word) for word in value.split())


def _capital(word: re.Match[str]) -> str:
    return word[0].capitalize()
