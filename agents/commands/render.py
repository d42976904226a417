"""Watch a trained agent play: in a window, as an animation, a film or a contact sheet."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from nets.kinds import Count, Seed
from nets.runs.durable import require_place
from nets.shell.command_line import (
    CommandError,
    command,
    draw_off_screen,
    has_display,
    parse,
)
from nets.shell.env_arguments import take_arguments
from nets.shell.here import shown

from .common import find_env, load_agent, refusals
from .evaluate import SEED
from .worlds import WorldOptions, adapt

if TYPE_CHECKING:
    from ..agent import Agent
    from ..environments.source import EnvSource

TEXT = """Watch a trained agent play.

examples:
  {command} runs/dqn-CartPole-v1-s0                          in a window
  {command} runs/dqn-CartPole-v1-s0 --out episode.gif        an animation
  {command} runs/dqn-CartPole-v1-s0 --out film.mp4 --episodes 3
  {command} runs/dqn-CartPole-v1-s0 --out sheet.png          twelve moments in one picture
  {command} runs/ppo-dreamgym-Dream-v0-s0 --env.beside --out both.mp4   the real world beside"""


@dataclass(frozen=True)
class RenderOptions(WorldOptions):
    """Which agent, and where to show it."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder of a run, or a file that an agent was saved in."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.gif|.mp4|.png")] = None
    """File to write instead of opening a window."""
    live: Annotated[bool, tyro.conf.arg(name="live"), tyro.conf.FlagCreatePairsOff] = False
    """Open a window in addition to writing the file."""
    episodes: Count = 1
    """Episodes to play."""
    seed: Seed = SEED
    """Seed of the environment."""
    on: Annotated[str | None, tyro.conf.arg(metavar="ENV_ID")] = None
    """Another environment to play in; by default the one that it was trained on."""
    checkpoint: str | None = None
    """Name of a checkpoint, or "last"; by default the best."""
    max_steps: Annotated[Count | None, tyro.conf.arg(metavar="N")] = None
    """Steps after which an episode is cut off; by default 1000, or a longer time limit's."""
    trust: bool = False
    """Import whatever modules the run's environment and networks are of: their code runs."""


@command
def main(argv: list[str]) -> int:
    """Play the agent where it was asked for."""
    words, arguments = take_arguments(argv)
    options = parse(RenderOptions, "render", words, TEXT)
    window = options.live or options.out is None
    if window and not has_display():
        message = "there is no screen to open a window on: name a file, such as"
        raise CommandError(f"{message} --out episode.gif")
    if options.out is not None:
        require_place(options.out)
    agent, checkpoint = load_agent(options.run, options.checkpoint, trust=options.trust)
    print(f"checkpoint: {shown(checkpoint)}")
    source = agent.source if options.on is None else find_env(options.on)
    source = adapt(source, arguments, options)
    from ..loop.evaluation import require_spaces

    with refusals(ValueError):
        require_spaces(agent, source)
        if options.out is not None:
            from ..outcomes.media import record

            draw_off_screen()
            record(agent, source, options.out, **_settings(options))
            print(f"wrote {shown(options.out)}")
        if window:
            _show(agent, source, options)
    return 0


def _settings(options: RenderOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("episodes", "seed", "max_steps")}


def _show(agent: "Agent", source: "EnvSource", options: RenderOptions) -> None:
    """Play in a window until the episodes are over or the window is closed."""
    import pygame

    from ..outcomes.playing import frame_rate, make_drawn, play
    from .window import Window

    env = make_drawn(source)
    rate = frame_rate(env)
    with refusals(pygame.error), Window(f"{agent.name} on {source.name}") as window:
        for frame in play(agent, env, **_settings(options)):
            caption = f"episode {frame.episode + 1}   step {frame.step}"
            window.show(frame.picture, f"{caption}   return {frame.total_reward:g}", rate)
            window.read()
            if window.closed:
                break
        else:
            window.rest(1.0)
    env.close()
