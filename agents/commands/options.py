"""What `train` can be told: its options, with the preset for algorithm and environment in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import tyro

from nets.runs.presets import describe_setting, describe_settings
from nets.shell.command_line import CommandError, parse, told

from ..algorithms import ALGORITHMS, find_algorithm
from ..presets import Preset, find_preset, load_presets, load_variants

Config = TypeVar("Config")

DEFAULT_STEPS = 100_000
TEXT = """Train an agent on an environment, and leave a run folder.

usage:
  {command} ALGO ENV_ID [options]
  {command} --resume DIR [--steps N]    go on with an interrupted run, or extend it
  {command} --list                      algorithms, environments, presets

examples:
  {command} dqn CartPole-v1
  {command} q-learning dreamgym/Cliff-v0 --seed 3
  {command} dqn CartPole-v1 --preset rainbow
  {command} dqn CartPole-v1 --num-envs 8 --config.learning-rate 1e-3"""


@dataclass(frozen=True)
class TrainOptions(Generic[Config]):
    """A new run."""

    algo: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ALGO")]
    """Algorithm; --list shows them."""
    env: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV_ID")]
    """Environment: Name-v0, namespace/Name-v0, or module:Name-v0 to import its module first."""
    config: Config
    """Settings of the algorithm."""
    steps: int = DEFAULT_STEPS
    """Environment steps."""
    seed: int = 0
    """Everything random follows from it."""
    num_envs: int = 1
    """Environments stepped side by side."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where networks live; auto: the GPU where there is one."""
    run: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder of the run; by default a new one, runs/ALGO-ENV_ID-sSEED."""
    eval_every: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Steps between evaluations, 0 for none; by default a twentieth of the run."""
    preset: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Variant of the algorithm; --list shows them."""

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("num_envs", 1), ("eval_every", 0), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} is {value}: expected at least {least}")


@dataclass(frozen=True)
class ResumeOptions:
    """An earlier run."""

    resume: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """Folder of the run."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Environment steps in all, to extend the run; by default what it was started with."""


@dataclass(frozen=True)
class NoConfig:
    """Stands for the settings of an algorithm that has not been named."""


def parse_train(argv: Sequence[str]) -> tuple[TrainOptions[Any], Preset | None]:
    """Return the options of a new run, and the preset that they started from.

    The algorithm, and the environment if it has presets, are looked up in `argv` first: they
    decide which settings there are, and their defaults.

    Raises:
        CommandError: there is no such algorithm.
    """
    algo = next((word for word in argv if word in ALGORITHMS), None)
    if algo is None:
        if argv and not argv[0].startswith("-"):
            with told(ValueError):
                find_algorithm(argv[0])
        note = "\n\n`{command} ALGO ENV_ID --help` shows the settings of an algorithm, --config.*."
        parse(TrainOptions[NoConfig], "train", argv, TEXT + note)
        raise CommandError(f"write ALGO and ENV_ID first, then the options: {' '.join(argv)}")
    name = _value(argv, "--preset")
    anywhere = _find_preset(algo, "", name)
    found = (_find_preset(algo, word, name) for word in argv)
    preset = next((each for each in found if each != anywhere), anywhere)
    algorithm = find_algorithm(algo)
    config = algorithm.config_type()()
    default: TrainOptions[Any] = TrainOptions(
        algo=tyro.MISSING,
        env=tyro.MISSING,
        config=config if preset is None else preset.apply(config),
        steps=(preset and preset.steps) or DEFAULT_STEPS,
        num_envs=(preset and preset.num_envs) or algorithm.agent_type().default_num_envs,
    )
    kind: type[TrainOptions[Any]] = TrainOptions[type(config)]  # type: ignore[misc, assignment]
    options = parse(kind, "train", argv, f"{TEXT}\n\n{_preset_note(algo, preset)}", default)
    with told(ValueError):
        find_algorithm(options.algo)
    used, preset = preset, _find_preset(algo, options.env, options.preset)
    if options.algo != algo or used != preset:
        raise CommandError(f"write ALGO and ENV_ID first, then the options: {' '.join(argv)}")
    return options, preset


def describe_preset(preset: Preset, options: TrainOptions[Any]) -> str:
    """Name the preset's values, and which of them the command line overrides."""
    run = {"steps": preset.steps, "num_envs": preset.num_envs}
    said = {name: value for name, value in run.items() if value is not None}
    world = [describe_setting(name, value) for name, value in preset.env.items()]
    world += [_call(name, arguments) for name, arguments in preset.wrappers.items()]
    return describe_settings(
        preset, [(options, said), (options.config, preset.settings)], also=world
    )


def _find_preset(algo: str, env_id: str, name: str | None) -> Preset | None:
    with told(ValueError):
        return find_preset(algo, env_id, name)


def _value(argv: Sequence[str], option: str) -> str | None:
    """Return what follows an option, as `--option VALUE` or `--option=VALUE`."""
    for word, following in zip(argv, [*argv[1:], None], strict=True):
        if word == option:
            return following
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


def _preset_note(algo: str, preset: Preset | None) -> str:
    if preset is not None:
        return f"The defaults below are the {preset}."
    known = [env_id for algorithm, env_id in load_presets() if algorithm == algo]
    known += [f"--preset {name}" for name in load_variants().get(algo, {})]
    if not known:
        return f"There are no presets for {algo}."
    return f"Presets for {algo}: name one of {', '.join(known)} to see its defaults."


def _call(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


__all__ = ["ResumeOptions", "TrainOptions", "describe_preset", "parse_train"]
