"""What demos draw with: panels, pictures, bands of seeds."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nets.drawing.figures import frame
from nets.drawing.style import PALETTE

__all__ = ["PALETTE", "Figure", "band", "frame", "panels", "picture"]


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
