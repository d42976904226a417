"""What every demo does around its one picture: the command line, seeds, the file."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

# this checkout's packages come first, whatever else is installed under their names
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nets.drawing.figures import ENDINGS, frame, save
from nets.drawing.style import PALETTE, Theme, drawing, styled
from nets.process.seeding import seeded

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


def demo(text: str | None, draw: Callable[[], Figure]) -> None:
    """Draw the picture of the demo that is run, with seed 0, and write it."""
    name = Path(sys.argv[0]).stem
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawTextHelpFormatter
    )
    endings = ", ".join(ENDINGS)
    parser.add_argument(
        "--out", type=Path, default=Path(f"{name}.png"), help=f"the picture: {endings}"
    )
    parser.add_argument("--theme", choices=get_args(Theme), default="light", help="its paper")
    asked = parser.parse_args()
    if asked.out.suffix not in ENDINGS:
        parser.error(f"--out is {asked.out}: expected a name that ends in {endings}")
    torch.set_num_threads(1)  # these nets are small, and one thread gives the same bits everywhere
    with seeded(0), drawing(asked.theme), styled():
        figure = draw()
        save(figure, asked.out)
    print(asked.out)
