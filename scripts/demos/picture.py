"""What every demo does around its one picture: the command line, seeds, the file."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# this checkout's packages come first, whatever else is installed under their names
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nets.drawing.figures import frame, require_ending, save
from nets.drawing.style import PALETTE, Theme, drawing, styled
from nets.process.seeding import seeded
from nets.runs.durable import require_place
from nets.shell.command_line import command, parse, refusals
from nets.shell.here import shown

__all__ = ["PALETTE", "Figure", "band", "demo", "frame", "panels", "picture"]


def panels(
    columns: int, rows: int = 1, *, title: str, size: float = 3.4, wide: float = 1.0
) -> tuple[Figure, Any]:
    """Return a figure with a title and an array `[rows, columns]` of axes, `wide` times as wide."""
    figure = Figure(figsize=(size * wide * columns, size * rows + 0.4), dpi=110)
    figure.suptitle(title)
    return figure, figure.subplots(rows, columns, squeeze=False)


def picture(axes: Axes, values: Any, **options: Any) -> None:
    """Show an array as a picture without axes."""
    axes.imshow(values, **({"cmap": "gray"} | options))
    frame(axes)


def band(axes: Axes, x: ArrayLike, seeds: ArrayLike, colour: str, label: str) -> None:
    """Draw the median of `[seeds, N]` as a line, from the least to the most a band."""
    values = np.asarray(seeds)
    axes.plot(x, np.median(values, 0), color=colour, label=label)
    axes.fill_between(x, values.min(0), values.max(0), color=colour, alpha=0.18, linewidth=0)


@dataclass(frozen=True)
class DemoOptions:
    """Where the picture goes, and how it looks."""

    out: Path
    """The picture: a .png, .svg or .pdf."""
    theme: Theme = "light"
    """Paper that it is drawn on."""


def demo(text: str | None, draw: Callable[[], Figure]) -> None:
    """Draw the picture of the demo that is run, with seed 0, and write it."""
    name = Path(sys.argv[0]).stem
    told = (text or "").replace("{", "{{").replace("}", "}}")

    def run(argv: list[str]) -> int:
        options = parse(DemoOptions, name, argv, told, DemoOptions(Path(f"{name}.png")))
        with refusals(ValueError):
            require_ending(options.out)
            require_place(options.out)
        torch.set_num_threads(1)  # small nets; one thread gives the same bits everywhere
        with seeded(0), drawing(options.theme), styled():
            save(draw(), options.out)
        print(shown(options.out))
        return 0

    if code := command(run)(sys.argv[1:]):
        sys.exit(code)
