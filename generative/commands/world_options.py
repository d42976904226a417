"""What `train-generative world` can be told, with settings that suit the world in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from nets.kinds import Capacity, Count, Part
from nets.runs.presets import start_from
from nets.settings import check
from nets.shell.command_line import CommandError, parse, told
from nets.shell.env_arguments import take_arguments
from nets.shell.run_options import StartOptions
from nets.shell.tracked import require_tracking
from nets.shell.training import preset_note

from ..presets import Preset, find_preset, load_presets
from ..worlds.config import SUITED, Model, WorldConfig

if TYPE_CHECKING:
    from ..worlds.spaces import WorldSpec

NAME = "world"
STEPS: dict[Model, int] = {
    "table": 1,
    "ensemble": 2000,
    "board": 4000,
    "rssm": 1500,
    "vae-lstm": 3000,
}
TEXT = """Live through a real world, learn how it goes on, and leave a run folder to dream in.

usage:
  {command} world ENV_ID [options]

examples:
  {command} world dreamgym/Catch-v0
  {command} world CartPole-v1 --collect 4000
  {command} world dreamgym/Bricks-v0 --env.obs board --collect 3000
  {command} world dreamgym/Recall-v0 --config.model rssm
  {command} world CartPole-v1 --actor runs/ppo-CartPole-v1-s0

then:
  gym.make("generative.dreams:dreamgym/Dream-v0", run="runs/world-...")"""


@dataclass(frozen=True, kw_only=True)
class WorldOptions(StartOptions[WorldConfig]):
    """A world to learn."""

    model: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar=NAME)] = NAME
    """What is learned."""
    env: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV_ID")]
    """The real world: Name-v0, namespace/Name-v0, or module:Name-v0."""
    steps: Count = STEPS["rssm"]
    """Gradient steps; a table is counted, and takes none."""
    collect: Capacity = 2000
    """Steps that are lived through in the real world."""
    actor: Annotated[Path | None, tyro.conf.arg(metavar="RUN")] = None
    """Run folder of the agent that acts; by default actions are uniformly random."""
    exploration: Part = 0.1
    """Share of the agent's actions that are uniformly random instead."""
    held_out: float = 0.1
    """Share of the episodes that training never sees, and is measured on; none of a table's."""
    trust: bool = False
    """Import whatever module the agent's run is of: its code runs."""

    def __post_init__(self) -> None:
        check(self, "model", "env", "config")
        if not 0.0 <= self.held_out < 1.0:
            raise ValueError(f"held_out is {self.held_out}: expected a share in [0, 1)")


def parse_world(
    argv: Sequence[str],
) -> "tuple[WorldOptions, WorldSpec, Preset | None]":
    """Return the options, the real world, and the preset that they started from.

    The world is made first: it decides which settings suit it.

    Raises:
        CommandError: there is no such world, or a setting cannot work.
    """
    words, arguments = take_arguments(argv)
    place = words.index(NAME) + 1
    env_id = words[place] if place < len(words) and not words[place].startswith("-") else None
    if env_id is None:
        blank: Any = WorldOptions(env=tyro.MISSING, config=WorldConfig())
        parse(WorldOptions, "train-generative", words, TEXT, blank)
        raise CommandError("write world ENV_ID first, then the options")
    spec, preset, config, run = settle(env_id, words, arguments)
    if config.model == "table":
        run = {"held_out": 0.0} | run
    default: Any = WorldOptions(env=tyro.MISSING, config=config, **run)
    known = [data for name, data in load_presets() if name == NAME]
    text = f"{TEXT}\n\n{preset_note(NAME, preset, known)}"
    options = parse(WorldOptions, "train-generative", words, text, default)
    from ..worlds.world import World  # only now: help needs no torch

    with told(ValueError):
        World.require_suited(spec, config)
    require_tracking(options.track)
    if options.env != env_id or options.model != NAME:
        raise CommandError("write world ENV_ID first, then the options")
    if options.config.model == "auto":
        options = replace(options, config=replace(options.config, model=SUITED[spec.kind]))
    return options, spec, preset


def settle(
    env_id: str, words: Sequence[str], arguments: Mapping[str, Any]
) -> "tuple[WorldSpec, Preset | None, WorldConfig, dict[str, Any]]":
    """Return a real world, its preset, the settings that suit it, and what these say of the run.

    Args:
        env_id: the world.
        words: all that is asked for, of which `--config.model` decides what suits.
        arguments: of the environment; they override the preset's.

    Raises:
        CommandError: there is no such world.
    """
    preset = find_preset(NAME, env_id.rpartition(":")[2])
    spec = _made(env_id, (preset.env if preset else {}) | dict(arguments))
    tuned = (preset.settings.get("model") if preset else None) or SUITED[spec.kind]
    model = _model(words) or tuned
    suited = WorldConfig.suited(spec.kind, model)
    config, run = start_from(preset if model == tuned else None, suited)
    return spec, preset, replace(config, model=model), {"steps": STEPS[model]} | run


def _model(words: Sequence[str]) -> Model | None:
    """Return the model that is asked for, before all else is parsed."""
    for k, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == "--config.model":
            given = value if equals else "".join(words[k + 1 : k + 2])
            return given if given in STEPS else None
    return None


def _made(env_id: str, arguments: dict[str, Any]) -> "WorldSpec":
    import gymnasium as gym

    from ..worlds.spaces import spec_of

    with told(OSError, ValueError, TypeError, ImportError, gym.error.Error):
        return spec_of(env_id, **arguments)
