"""What `train` can be told: its options, with the preset for algorithm and environment in force."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from nets.kinds import Copies, Count
from nets.runs.presets import start_from
from nets.settings import check
from nets.shell.command_line import CommandError, told
from nets.shell.run_options import Config, StartOptions
from nets.shell.training import TrainCommand, preset_note

from ..algorithms import ALGORITHMS, find_algorithm
from ..presets import Preset, find_preset, load_presets, load_variants
from .worlds import WorldOptions

DEFAULT_STEPS = 100_000
TEXT = """Train an agent on an environment, and leave a run folder.

usage:
  {command} ALGO ENV_ID [options] [--env.NAME VALUE ...]    arguments of the environment
  {command} --resume DIR [--steps N]    go on with an interrupted run, or extend it
  {command} --resume DIR --config.learning-rate 1e-5    go on with other settings
  {command} --list                      algorithms, environments, presets

examples:
  {command} dqn CartPole-v1
  {command} q-learning dreamgym/Cliff-v0 --seed 3
  {command} dqn CartPole-v1 --preset rainbow
  {command} dqn CartPole-v1 --num-envs 8 --config.learning-rate 1e-3
  {command} q-learning FrozenLake-v1 --env.map-name 8x8 --max-episode-steps 200
  {command} ppo CartPole-v1 --init-from runs/ppo-CartPole-v1-s0
  {command} ppo Pendulum-v1 --wrap 'FrameStackObservation(stack_size=4)'"""
TRAIN = TrainCommand("train", "ALGO", "ENV_ID", ALGORITHMS, TEXT)


@dataclass(frozen=True, kw_only=True)
class TrainOptions(WorldOptions, StartOptions[Config]):
    """A new run."""

    algo: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ALGO")]
    """Algorithm; --list shows them."""
    env: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV_ID")]
    """Environment: Name-v0, namespace/Name-v0, or module:Name-v0 to import its module first."""
    steps: Count = DEFAULT_STEPS
    """Environment steps."""
    num_envs: Copies = 1
    """Environments stepped side by side."""
    vectorization: Literal["auto", "sync", "async"] = "auto"
    """How: async, each in a process of its own, which pays for slow ones; sync, in turn; auto: by
    the environment's own vector form, or else in turn."""
    eval_max_steps: Annotated[Count | None, tyro.conf.arg(metavar="N")] = None
    """Steps after which an episode of an evaluation, or of the animation, is cut off; by default
    1000, or a longer time limit's."""
    init_from: Annotated[Path | None, tyro.conf.arg(metavar="RUN")] = None
    """Run folder, or file, of an agent of the same algorithm whose networks it begins with."""
    preset: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Variant of the algorithm; --list shows them. Or a file of settings, as `tune` leaves it."""

    def __post_init__(self) -> None:
        check(self, "algo", "env", "config")


def parse_train(argv: Sequence[str]) -> tuple[TrainOptions[Any], Preset | None]:
    """Return the options of a new run, and the preset that they started from.

    The algorithm, and the environment if it has presets, are looked up in `argv` first: they
    decide which settings there are, and their defaults.

    Raises:
        CommandError: there is no such algorithm.
    """
    algorithm = TRAIN.find(argv, TrainOptions)
    algo, name = algorithm.name, _value(argv, "--preset")
    anywhere = _find_preset(algo, "", name)
    found = (_find_preset(algo, word, name) for word in argv)
    preset = next((each for each in found if each != anywhere), anywhere)
    usual = {"steps": DEFAULT_STEPS, "num_envs": algorithm.num_envs}
    with told(ValueError):
        config, run = start_from(preset, algorithm.config_type()())
        default: TrainOptions[Any] = TrainOptions(
            algo=tyro.MISSING, env=tyro.MISSING, config=config, **(usual | run)
        )
    known = [env_id for algorithm_name, env_id in load_presets() if algorithm_name == algo]
    known += [f"--preset {variant}" for variant in load_variants().get(algo, {})]
    options = TRAIN.parse(argv, default, preset_note(algo, preset, known))
    with told(ValueError):
        find_algorithm(options.algo)
    used, preset = preset, _find_preset(algo, options.env, options.preset)
    if options.algo != algo or used != preset:
        raise TRAIN.misplaced(argv)
    if options.preset is not None and preset is None:
        raise CommandError(f"{options.preset} has no settings of {algo} on {options.env}")
    return options, preset


def take_changes(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the arguments of going on into those of the run, and `--config.*` with their values."""
    others: list[str] = []
    changes: list[str] = []
    taking = False
    for word in words:
        if word.startswith("--"):
            taking = word.startswith("--config.")
        (changes if taking else others).append(word)
    return others, changes


def parse_changes(words: Sequence[str], config: Any) -> dict[str, Any]:
    """Return which settings the arguments `--config.*` change, and to what.

    Args:
        words: the arguments.
        config: the settings so far.

    Raises:
        ValueError: a value cannot work.
    """
    if not words:
        return {}
    given = TRAIN.parse_changes(words, config)
    values = {each.name: getattr(given, each.name) for each in fields(config)}
    return {name: now for name, now in values.items() if now != getattr(config, name)}


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
