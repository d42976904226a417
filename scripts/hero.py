"""Agents of several runs at play, side by side in one animation, each at its world's own speed."""

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback before the command listens
# this checkout's packages come first, whatever else is installed under their names
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import tyro
from PIL import Image, ImageDraw, ImageFont

import agents
from nets.drawing.style import Theme, drawing, paper
from nets.kinds import Count
from nets.runs.durable import require_place
from nets.shell.command_line import CommandError, command, draw_off_screen, parse, refusals
from nets.shell.here import shown

if TYPE_CHECKING:  # help needs no torch
    from agents.outcomes.playing import Picture

GAP, LINE, EPISODES = 8, 18, 1000
OWN = 255  # colours of the palette, which keeps one for what stays as it was
TEXT = """Let the agents of several runs play side by side.

examples:
  {command} runs/cliff runs/maze runs/catch --out agents.gif"""


@dataclass(frozen=True)
class HeroOptions:
    """Whose agents, and how large and long."""

    runs: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="DIR ...")]
    """Folders of runs."""
    out: Path = Path("agents.gif")
    """The animation, a .gif."""
    columns: Count = 4
    """Agents in a row."""
    side: Count = 176
    """Pixels of the longer side of a picture."""
    seconds: Count = 8
    """How long it is."""
    fps: Count = 10
    """Moments a second."""
    seed: int = 0
    """Of the environments."""
    theme: Theme = "light"
    """Paper that pictures lie on."""


def film(run: Path, options: HeroOptions) -> tuple[str, "list[Picture]"]:
    """Return a caption, and pictures of what the best agent of a run does at each moment."""
    from agents.outcomes.media import fit
    from agents.outcomes.playing import frame_rate, make_drawn, play

    agent = agents.load(run)
    env = make_drawn(agent.source)
    rate, moments = frame_rate(env), options.seconds * options.fps
    wanted = [moment * rate // options.fps for moment in range(moments)]
    frames = islice(play(agent, env, episodes=EPISODES, seed=options.seed), wanted[-1] + 1)
    pictures = [frame.picture for frame in frames]
    env.close()
    name = agent.source.name.rpartition("/")[2].rpartition("-v")[0]
    return f"{name}: {agent.name}", [fit(pictures[k], options.side) for k in wanted]


def composed(films: Sequence[tuple[str, "list[Picture]"]], options: HeroOptions) -> list[Any]:
    """Lay the films out in reading order, a caption under each; return the moments."""
    cell = options.side + GAP, options.side + LINE + GAP
    down = -(-len(films) // options.columns)
    across = min(options.columns, len(films))
    blank = Image.new("RGB", (across * cell[0] + GAP, down * cell[1] + GAP), paper().paper)
    pen, font = ImageDraw.Draw(blank), ImageFont.load_default(13)
    corners = []
    for k, (caption, pictures) in enumerate(films):
        height, width, _ = pictures[0].shape
        x, y = (
            GAP + place * size for place, size in zip((k % across, k // across), cell, strict=True)
        )
        pen.text((x + options.side / 2, y + options.side + 2), caption, paper().ink, font, "ma")
        corners.append((x + (options.side - width) // 2, y + (options.side - height) // 2))
    moments = []
    for now in zip(*(pictures for _, pictures in films), strict=True):
        sheet = blank.copy()
        for picture, corner in zip(now, corners, strict=True):
            sheet.paste(Image.fromarray(picture), corner)
        moments.append(sheet)
    return moments


def palette_of(moments: Sequence[Image.Image]) -> Image.Image:
    """Return a picture whose palette suits all moments; paper and ink are in it as they are."""
    every = np.concatenate([np.asarray(moment) for moment in moments]).reshape(-1, 3)
    distinct = np.unique(every // 8 * 8 + 4, axis=0)  # small things count as much as large ones
    found = Image.fromarray(distinct[None]).quantize(OWN - 2)
    exact = b"".join(bytes.fromhex(colour[1:]) for colour in (paper().paper, paper().ink))
    found.putpalette([*(found.getpalette() or [])[: 3 * (OWN - 2)], *exact])
    return found


def main(argv: list[str]) -> int:
    """Play, and write the animation."""
    options = parse(HeroOptions, "hero", argv, TEXT)
    if options.out.suffix != ".gif":
        raise CommandError(f"--out is {shown(options.out)}: expected a name that ends in .gif")
    require_place(options.out)
    draw_off_screen()
    with refusals(ValueError), drawing(options.theme):
        moments = composed([film(run, options) for run in options.runs], options)
        palette = palette_of(moments[:: options.fps])
    few = [moment.quantize(palette=palette, dither=Image.Dither.NONE) for moment in moments]

    from nets.runs.checkpoint import atomic_write

    def write(file: IO[bytes]) -> None:
        pause = {"duration": 1000 // options.fps, "loop": 0}
        few[0].save(file, "GIF", save_all=True, append_images=few[1:], optimize=True, **pause)

    atomic_write(options.out, write)
    print(f"wrote {shown(options.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(command(main)())
