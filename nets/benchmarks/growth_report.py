"""Growth as lines on the terminal, as a table in a document, and as a figure with its limits."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..drawing.figures import save
from ..drawing.style import PALETTE, styled
from .growth import Growth, Point
from .report import table, with_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = Mapping[str, Sequence[Point]]
Measured = Sequence[tuple[Growth, Points]]
COLUMNS, PANEL = 2, (5.5, 3.6)  # of the figure; inches of a panel


def growth_lines(growth: Growth, points: Points) -> Iterator[str]:
    """Return a line for each point: the size, the figure, the limit, and their ratio."""
    for name, line in points.items():
        for point in line:
            figure, most = (with_unit(x, growth.unit) for x in (point.figure, point.limit))
            yield (
                f"{f'{growth.name}: {name}':<36} {point.size:>9,} {growth.along:<36} {figure:>16}"
                f"  limit {most}, {point.figure / point.limit:.2g} of it"
            )


def growth_json(growth: Growth, points: Points) -> dict[str, Any]:
    """Return a measured growth as plain values."""
    lines = {
        name: [{"size": p.size, "figure": p.figure, "limit": p.limit} for p in line]
        for name, line in points.items()
    }
    said = {key: getattr(growth, key) for key in ("name", "what", "along", "unit", "limit")}
    return said | {"lines": lines}


def growth_table(
    measured: Measured, about: dict[str, Any], call: str, picture: Path, document: Path
) -> str:
    """Return where each line begins, ends and is largest beside its limit, below the picture.

    Args:
        measured: what was measured.
        about: the machine.
        call: the command.
        picture: the figure, which the document shows.
        document: that the table is written into.
    """
    rows = []
    for growth, points in measured:
        for name, line in points.items():
            best, last = max(line, key=lambda p: p.figure / p.limit), line[-1]
            rows.append(
                (
                    f"`{growth.name}`: {growth.what}: {name}",
                    f"{with_unit(line[0].figure, growth.unit)} at {line[0].size:,}",
                    f"{with_unit(last.figure, growth.unit)} at {last.size:,} {growth.along}",
                    f"{best.figure / best.limit:.2g} x {growth.limit}, at {best.size:,}",
                )
            )
    shown_as = os.path.relpath(picture, document.parent)
    origin = f"![How figures grow with a size, and their limits]({shown_as})\n\n`{call}` at commit"
    heading = "| what | at first | at last | beside its limit |"
    return table(f"{origin} {str(about['commit'])[:12]}.", about, heading, rows)


def draw(measured: Measured, about: Mapping[str, Any], path: Path) -> None:
    """Draw each growth in a panel, on logarithmic axes, the limits dotted.

    Args:
        measured: what was measured.
        about: the machine.
        path: of the figure.
    """
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(measured))
    rows = math.ceil(len(measured) / columns)
    machine = f"Dotted: the limit.\n{about['processor']}, torch on {about['torch_threads']} thread"
    with styled():
        figure = Figure(figsize=(columns * PANEL[0], rows * PANEL[1]))
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, (growth, points) in zip(panels, measured, strict=False):
            _draw_panel(axes, growth, points)
        for axes in panels[len(measured) :]:  # what is left of the last row says how to read it
            axes.set_axis_off()
            axes.text(0.5, 0.5, machine, ha="center", va="center")
        if len(panels) == len(measured):
            figure.suptitle(machine, fontsize="small")
        save(figure, path)


def _draw_panel(axes: "Axes", growth: Growth, points: Points) -> None:
    marked: set[int] = set()
    for colour, (name, line) in zip(PALETTE, points.items(), strict=False):
        sizes = [point.size for point in line]
        marked |= {*sizes}
        axes.plot(sizes, [p.figure for p in line], "o-", markersize=4, color=colour, label=name)
        axes.plot(sizes, [p.limit for p in line], ":", color=colour)
    axes.set(xscale="log", yscale="log", xlabel=growth.along, ylabel=growth.unit)
    axes.set_title(f"{growth.what}\nlimit: {growth.limit}")
    axes.set_xticks(sorted(marked), [f"{size:,}" for size in sorted(marked)])
    low, high = (math.log10(end) for end in axes.get_ylim())
    axes.set_ylim(10 ** math.floor(low), 10 ** math.ceil(high))  # decades have numbers
    axes.minorticks_off()
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=len(points), frameon=False)
