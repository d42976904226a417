"""What figures have in common: limits that one wild value does not stretch, references, files."""

from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..runs.checkpoint import atomic_write
from .style import DIVERGING, also, paper, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Picture = NDArray[np.uint8]  # [H, W, 3]
ENDINGS = (".png", ".svg", ".pdf")
SHARE = 0.05  # of the points of lines that limits may leave out at either end


def save(figure: "Figure", path: str | Path) -> None:
    """Save a figure in the format that its name ends in, and in the one asked for beside it.

    Args:
        figure: what is saved.
        path: ends in .png, .svg or .pdf.

    Raises:
        ValueError: it ends otherwise.
    """
    path = Path(path)
    require_ending(path)
    for ending in dict.fromkeys((path.suffix, f".{also()}")):
        _write(figure, path.with_suffix(ending))


def require_ending(path: Path) -> None:
    """Refuse a name that does not say in which format a figure is to be saved.

    Raises:
        ValueError: it does not end in .png, .svg or .pdf.
    """
    if path.suffix not in ENDINGS:
        raise ValueError(f"{path}: expected a name that ends in {', '.join(ENDINGS)}")


def _write(figure: "Figure", path: Path) -> None:
    undated: dict[str, Any] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}

    def write(file: IO[bytes]) -> None:
        with styled():  # some settings are read only now
            figure.savefig(file, format=path.suffix[1:], metadata=undated.get(path.suffix))

    atomic_write(path, write)


def as_picture(figure: "Figure") -> Picture:
    """Return a figure's pixels `[H, W, 3]`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    with styled():
        canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3].copy()


def robust_limits(
    lines: ArrayLike, bands: ArrayLike = (), kept: Iterable[float] = ()
) -> tuple[float, float]:
    """Return limits of an axis that show all there is, unless few values would crush the others.

    What lies below the twentieth part of the points of lines is left out where it would double the
    axis, and likewise what lies above that many; a margin of 4 % is added.

    Args:
        lines: of any shape; those that are not finite do not count.
        bands: what is shown around them, of any shape.
        kept: what is to be seen in any case.
    """
    points, around, always = _finite(lines), _finite(bands), _finite(list(kept))
    shown = np.concatenate([points, around, always])
    if not shown.size:
        return 0.0, 1.0
    ends = np.quantile(points if points.size else shown, [SHARE, 1.0 - SHARE], method="nearest")
    low, high = min(*ends, *always), max(*ends, *always)
    span = high - low
    low = shown.min() if shown.min() >= low - span else low
    high = shown.max() if shown.max() <= high + span else high
    margin = 0.04 * (high - low) or 0.04 * abs(high) or 1.0
    return float(low - margin), float(high + margin)


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    flat = np.asarray(values, float).ravel()
    return flat[np.isfinite(flat)]


def limit(
    axes: "Axes", lines: ArrayLike, bands: ArrayLike = (), kept: Iterable[float] = ()
) -> None:
    """Set the limits of `axes` by `robust_limits`, and say on it how far it goes on beyond them."""
    low, high = robust_limits(lines, bands, kept)
    axes.set_ylim(low, high)
    known = np.concatenate([_finite(lines), _finite(bands)])
    if not known.size:
        return
    for cut, arrow, value, height, align in (
        (known.min() < low, "↓", known.min(), 0.02, "bottom"),
        (known.max() > high, "↑", known.max(), 0.98, "top"),
    ):
        if cut:
            text = f"{arrow} to {value:,.4g}"
            place: dict[str, Any] = {"transform": axes.transAxes, "va": align, "fontsize": "small"}
            axes.text(0.01, height, text, color=paper().ink, alpha=0.75, **place)


def reference(axes: "Axes", value: float, label: str) -> None:
    """Draw a level that values are to be compared with, and name it above the line."""
    axes.axhline(value, color=paper().ink, alpha=0.7, linestyle=(0, (1, 2)), linewidth=1.2)
    axes.annotate(
        *(label, (0.99, value)),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize="small",
        color=paper().ink,
        alpha=0.85,
    )


def count_steps(axes: "Axes") -> None:
    """Write the numbers of the horizontal axis in full, in groups of three; none has a fraction."""
    from matplotlib.ticker import MaxNLocator

    if isinstance(places := axes.xaxis.get_major_locator(), MaxNLocator):
        places.set_params(integer=True, min_n_ticks=1)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def plain(name: str) -> str:
    """Return what people call files and classes as it can be drawn: no formula, no broken bytes."""
    return name.encode(errors="replace").decode().replace("$", r"\$")


def frame(axes: "Axes") -> None:
    """Let `axes` show a picture, or a plane without numbers, in a thin line all round."""
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=paper().grid, linewidth=0.8)


def symmetric(*values: ArrayLike) -> dict[str, Any]:
    """Return the scale of a diverging colour map whose middle is zero, for one or many pictures."""
    reach = max(float(np.abs(np.asarray(each)).max()) for each in values) or 1.0
    return {"cmap": DIVERGING, "vmin": -reach, "vmax": reach}
