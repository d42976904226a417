"""The learning curve of a run, drawn from its metrics.csv."""

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nets.arguments import checked
from nets.drawing.figures import count_steps, limit, plain, reference, save
from nets.drawing.style import BLUE, ORANGE, PINK, styled
from nets.runs.metrics import Points, read_metrics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RAW = {"raw_return", "eval_raw_return"}
LOSSES = ("loss", "td_error", "residual")
LETTERS = 80  # of a line of the title
WINDOW = 11  # rows that the smoothed curves average


@checked
def draw_curve(
    metrics_file: str | Path, path: str | Path, title: str, solved: float | None = None
) -> None:
    """Draw returns, evaluations and the loss of a run against its environment steps.

    Training returns are drawn faintly and smoothed, evaluations with a band of one standard
    deviation, losses on a logarithmic axis; of a planner, the residual of each iteration. Returns
    by the environment's own rewards, where wrappers change these, have a panel of their own. What
    the run did not measure is left out.

    Args:
        metrics_file: what training wrote.
        path: the picture, a .png, .svg or .pdf.
        title: of the picture.
        solved: the return from which on the environment counts as solved, if anybody says so.
    """
    from matplotlib.figure import Figure

    metrics = read_metrics(metrics_file)
    plans = "residual" in metrics  # a planner's one evaluation is no curve
    losses = [name for name in LOSSES if name in metrics]
    kinds = [] if plans else ["return"] + ["raw_return"] * bool(RAW & metrics.keys())
    heights = [4.5, 3][: len(kinds)] + [3 if plans else 2] * len(losses)
    with styled():
        figure = Figure(figsize=(8, sum(heights)), dpi=120)
        panels = figure.subplots(
            len(heights), 1, sharex=True, squeeze=False, height_ratios=heights
        ).ravel()
        figure.suptitle(fill(plain(title), LETTERS))
        for axes, kind in zip(panels, kinds, strict=False):
            _draw_returns(axes, kind, metrics, solved if kind == kinds[-1] else None)
        for axes, name in zip(panels[len(panels) - len(losses) :], losses, strict=True):
            _draw_loss(axes, name, *metrics[name], window=1 if plans else WINDOW)
        panels[-1].set_xlabel("iterations" if plans else "environment steps")
        count_steps(panels[-1])
        save(figure, path)


def smooth(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the mean of each value and its neighbours, `window` in all, fewer at the ends.

    Args:
        values: `[N]`.
        window: an odd number.
    """
    kernel = np.ones(min(window, 2 * ((len(values) - 1) // 2) + 1))
    weights = np.convolve(np.ones(len(values)), kernel, mode="same")
    return np.convolve(values, kernel, mode="same") / weights


def _draw_returns(
    axes: "Axes", kind: str, metrics: dict[str, Points], solved: float | None
) -> None:
    lines: list[Any] = []
    bands: list[Any] = []
    if kind in metrics:
        steps, returns = metrics[kind]
        smoothed = smooth(returns, WINDOW)
        mark = _mark(returns)
        axes.plot(steps, returns, mark, color=BLUE, alpha=0.25, linewidth=1)
        axes.plot(steps, smoothed, mark, color=BLUE, label=f"training, mean of {WINDOW} rows")
        lines += [*smoothed]
        bands += [*returns]
    if f"eval_{kind}" in metrics:
        steps, means = metrics[f"eval_{kind}"]
        spread = metrics["eval_std"][1] if kind == "return" and "eval_std" in metrics else None
        label = "evaluation, mean" + " ± standard deviation of episodes" * (spread is not None)
        style: dict[str, Any] = {"color": ORANGE, "marker": "o", "markersize": 3.5}
        axes.plot(steps, means, label=label, **style)
        lines += [*means]
        if spread is not None:
            axes.fill_between(steps, means - spread, means + spread, color=ORANGE, alpha=0.18, lw=0)
            bands += [*(means - spread), *(means + spread)]
    if lines:
        limit(axes, lines, bands, [] if solved is None else [solved])
        if solved is not None:
            reference(axes, solved, "solved")
    _finish(axes, kind.replace("_", " "))


def _draw_loss(
    axes: "Axes", name: str, steps: NDArray[Any], loss: NDArray[Any], window: int
) -> None:
    from matplotlib.ticker import LogLocator

    axes.plot(steps, loss, _mark(loss), color=PINK, alpha=0.3, linewidth=1)
    axes.plot(steps, smooth(loss, window), _mark(loss), color=PINK)
    positive = loss[loss > 0]
    decades = np.log10(positive.max() / positive.min()) if len(positive) else 0
    if (loss >= 0).all() and decades > 1:
        axes.set_yscale("log", nonpositive="mask")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2 else (1,)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter("")
    _finish(axes, name.replace("_", " "))


def _mark(values: NDArray[np.float64]) -> str:
    """Return how values are joined: a single one is no line, and gets a dot."""
    return "-" if np.isfinite(values).sum() > 1 else "o"


def _finish(axes: "Axes", label: str) -> None:
    axes.set_ylabel(label)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best")
