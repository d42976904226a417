"""What every demo does around its one picture: the command line, seeds, the file."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# this checkout's packages come first, whatever else is installed under their names
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nets.process.seeding import seeded
from nets.runs.checkpoint import atomic_write

__all__ = [
    "BLUE",
    "COLOURS",
    "GREEN",
    "GREY",
    "ORANGE",
    "RED",
    "Figure",
    "demo",
    "panels",
    "picture",
]

BLUE, ORANGE, GREEN, RED, GREY = "#3b6fb6", "#d9702c", "#3f8f5b", "#b0413e", "#888888"
COLOURS = (BLUE, ORANGE, GREEN, RED, "#7b5aa6", "#8c6d4f", "#c46aa0", GREY)


def panels(columns: int, rows: int = 1, *, title: str, size: float = 3.4) -> tuple[Figure, Any]:
    """Return a figure with a title and an array `[rows, columns]` of axes."""
    figure = Figure(figsize=(size * columns, size * rows + 0.4), dpi=110, layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots(rows, columns, squeeze=False)
    for each in axes.flat:
        each.grid(alpha=0.25)
    return figure, axes


def picture(axes: Axes, values: Any, **options: Any) -> None:
    """Show an array as a picture without axes."""
    axes.imshow(values, **({"cmap": "gray"} | options))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)


def demo(text: str | None, draw: Callable[[], Figure]) -> None:
    """Draw the picture of the demo that is run, with seed 0, and write it."""
    name = Path(sys.argv[0]).stem
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(f"{name}.png"), help="the picture, a .png")
    out = parser.parse_args().out
    if out.suffix != ".png":
        parser.error(f"--out is {out}: expected a .png")
    torch.set_num_threads(1)  # these nets are small, and one thread gives the same bits everywhere
    with seeded(0):
        figure = draw()
    atomic_write(out, lambda file: figure.savefig(file, format="png"))
    print(out)
