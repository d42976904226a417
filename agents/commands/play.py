"""Play an environment by hand, with the keyboard."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Annotated

import tyro

from nets.foreign import blaming
from nets.shell.command_line import CommandError, command, has_display, parse
from nets.shell.env_arguments import take_arguments

from .common import find_env, refusals
from .worlds import WorldOptions, adapt

if TYPE_CHECKING:
    import gymnasium as gym

    from .controls import Controls
    from .window import Window

PATIENT = 30  # frames per second while an environment waits for its player
PAUSE = 0.7  # seconds after an episode in which keys do not count: they were meant for it
TEXT = """Play an environment by hand, with the keyboard; Escape ends it.

Grid worlds wait for your move, physics does not. The keys are shown at the start.

examples:
  {command} dreamgym/Maze-v0
  {command} CartPole-v1
  {command} FrozenLake-v1 --env.map-name 8x8 --env.is-slippery false"""


@dataclass(frozen=True)
class PlayOptions(WorldOptions):
    """What to play."""

    env: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV_ID")]
    """Environment: Name-v0, namespace/Name-v0, or module:Name-v0 to import its module first."""


@command
def main(argv: list[str]) -> int:
    """Play until the window is closed, then tell the score."""
    words, arguments = take_arguments(argv)
    options = parse(PlayOptions, "play", words, TEXT)
    if not has_display():
        raise CommandError("there is no screen to open a window on")
    import pygame

    from ..outcomes.playing import make_drawn
    from .controls import find_controls, key_names
    from .window import Window

    source = adapt(find_env(options.env), arguments, options)
    with refusals(ValueError, pygame.error), Window(source.name) as window:
        env = make_drawn(source)
        controls = find_controls(env)
        keys = f"keys: {', '.join(key_names(controls))}; Escape ends"
        print(keys, flush=True)
        returns = list(_episodes(window, env, controls, keys))
    env.close()
    if returns:
        mean = sum(returns) / len(returns)
        print(f"episodes {len(returns)}, best return {max(returns):g}, mean {mean:g}")
    return 0


def _episodes(window: "Window", env: "gym.Env", controls: "Controls", keys: str) -> Iterator[float]:
    """Play episode after episode; yield the return of each that came to its end."""
    best: float | None = None
    for number in count(1):
        title = f"episode {number}" + ("" if best is None else f"   best {best:g}")
        total = _episode(window, env, controls, title, keys)
        if total is None:
            return
        yield total
        best = total if best is None else max(best, total)
        window.rest(PAUSE)
        while not window.closed and not window.read():
            window.wait(PATIENT)
        if window.closed:
            return


def _episode(
    window: "Window", env: "gym.Env", controls: "Controls", title: str, keys: str
) -> float | None:
    """Play one episode; its return, or None where the window was closed."""
    from ..environments.door import Door
    from ..outcomes.playing import draw

    door = Door(str(env), None)
    rate = int(env.metadata.get("render_fps") or PATIENT) if controls.real_time else PATIENT
    with blaming(f"the environment {env}, in its reset"):
        env.reset()
    picture, action, step, total, over = draw(env), None, 0, 0.0, False
    while not over:
        window.show(picture, f"{title}   {f'return {total:g}' if step else keys}", rate)
        action = controls.choose(window.read(), window.held, action)
        if window.closed:
            return None
        if action is None:
            continue
        with blaming(f"the environment {env}, in its step after {step} steps"):
            _, reward, terminated, truncated, _ = env.step(action)
        door.steps += 1
        step, total = step + 1, total + float(door.reward(reward)[0])
        over = door.flag(terminated) | door.flag(truncated)
        picture = draw(env)
    window.show(picture, f"return {total:g} after {step} steps: any key plays on", rate)
    return total
