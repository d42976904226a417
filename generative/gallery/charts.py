"""Charts of training and of latent spaces; pyplot's global state is not touched."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nets.drawing.figures import count_steps, limit, plain
from nets.drawing.style import COLOURS_OF, PALETTE, SEQUENTIAL, looks, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values: TypeAlias = Sequence[float] | NDArray[np.float64]
Curve: TypeAlias = tuple[Values, Values]  # steps, values

DISTINCT = 10  # values that get a colour and a legend each; more get a scale
WINDOW = 25  # points that a smoothed curve averages


def latent_scatter(
    z: Tensor | NDArray[Any],
    values: Tensor | NDArray[Any],
    *,
    names: Sequence[str] = (),
    title: str = "",
    symbol: str = "z",
    dimensions: tuple[int, int] | None = None,
) -> "Figure":
    """Draw latents as points in the plane, coloured by a factor.

    Args:
        z: `[N, D]`, D at least 2.
        values: `[N]`, the factor.
        names: of the values 0, 1, ..., where it has names.
        title: of the chart, presumably the factor's name.
        symbol: what the axes call the points, z_0, z_1, ...
        dimensions: which two of the D; the two of largest variance by default.

    Raises:
        ValueError: `z` has no two dimensions, or there are not as many values as points.
    """
    points, colours = _array(z), _array(values)
    if points.ndim != 2 or points.shape[1] < 2 or colours.shape != points.shape[:1]:
        message = f"latents of shape {list(points.shape)} with values of {list(colours.shape)}"
        raise ValueError(f"{message}: expected [N, 2 or more] and [N]")
    first, second = dimensions or sorted(points.var(0).argsort()[-2:].tolist())
    with styled():
        figure = _figure(6.0, 5.2)
        count = f"n = {len(points):,}"
        axes = figure.add_subplot(title=f"{plain(title)}, {count}" if title else count)
        axes.set_xlabel(f"${symbol}_{{{first}}}$")
        axes.set_ylabel(f"${symbol}_{{{second}}}$")
        _scatter(figure, axes, points[:, [first, second]], colours, names)
    return figure


def _scatter(
    figure: "Figure",
    axes: "Axes",
    points: NDArray[Any],
    values: NDArray[Any],
    names: Sequence[str],
) -> None:
    """Draw points `[N, 2]`: of few values each in a colour with a legend, else on a scale."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    dots: dict[str, Any] = {"s": 9.0, "alpha": 0.75, "linewidths": 0.0}
    distinct = np.unique(values)
    if len(distinct) > DISTINCT:
        axes.scatter(points[:, 0], points[:, 1], c=values, cmap=SEQUENTIAL, **dots)
        figure.colorbar(ScalarMappable(Normalize(values.min(), values.max()), SEQUENTIAL), ax=axes)
        return
    for k, value in enumerate(distinct):
        label = plain(names[int(value)]) if names else f"{value:g}"
        colour = COLOURS_OF.get(label, PALETTE[k % len(PALETTE)])
        shape = "o^"[k // len(PALETTE)]
        chosen = points[values == value]
        axes.scatter(chosen[:, 0], chosen[:, 1], label=label, color=colour, marker=shape, **dots)
    axes.legend(loc="best", markerscale=2.0)


def curves(metrics: Mapping[str, Curve], *, title: str = "", xlabel: str = "steps") -> "Figure":
    """Draw metrics against steps, one panel each: every point faintly, their running mean boldly.

    Args:
        metrics: name -> (steps, values), in the order of the panels.
        title: of the chart.
        xlabel: of the common axis.

    Raises:
        ValueError: there are no metrics.
    """
    if not metrics:
        raise ValueError("there are no metrics to draw")
    across = min(3, len(metrics))
    down = -(-len(metrics) // across)
    with styled():
        figure = _figure(4.2 * across, 2.6 * down + 0.4 * bool(title))
        figure.suptitle(plain(title))
        panels = figure.subplots(down, across, squeeze=False).ravel()
        for axes, (name, (steps, values)) in zip(panels, metrics.items(), strict=False):
            middle = running_mean(steps, values)
            (line,) = axes.plot(steps, values, alpha=0.3, linewidth=1.0)
            axes.plot(*middle, color=line.get_color())
            limit(axes, middle[1], values)
            axes.set_title(name)
            axes.set_xlabel(xlabel)
        for axes in panels[len(metrics) :]:
            axes.remove()
    return figure


def bands(
    steps: Values,
    lines: Mapping[str, Sequence[Sequence[float]]],
    *,
    title: str = "",
    xlabel: str = "steps",
    ylabel: str = "",
) -> "Figure":
    """Draw what several seeds reached: their median as a line, from the least to the most a band.

    Args:
        steps: `[N]`.
        lines: name -> values `[seeds, N]`; the legend says how many seeds there are.
        title: of the chart.
        xlabel: of the axis of steps.
        ylabel: of the other.
    """
    look = looks(list(lines))
    with styled():
        figure = _figure(6.0, 4.0)
        axes = figure.add_subplot(title=title, xlabel=xlabel, ylabel=ylabel)
        for k, (name, seeds) in enumerate(lines.items()):
            values = np.asarray(seeds, float)  # [seeds, N]
            count = f"n = {len(values)}" + (", median and range" if len(values) > 1 else "")
            (colour, dashes), label = look[name], f"{name} ({count})"
            shape = "osD^"[k % 4]  # also told apart where they coincide
            median = np.median(values, 0)
            style: dict[str, Any] = {"color": colour, "linestyle": dashes, "marker": shape}
            axes.plot(steps, median, label=label, markersize=9 - 2 * (k % 4), **style)
            if len(values) > 1:
                edges = values.min(0), values.max(0)
                axes.fill_between(steps, *edges, color=colour, alpha=0.2, linewidth=0)
                axes.vlines(steps, *edges, color=colour, alpha=0.4)  # a band of one step is none
        if len(steps) == 1:
            axes.set_xticks(steps)
        count_steps(axes)
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def running_mean(
    steps: Values, values: Values, window: int = WINDOW
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each value's mean with its neighbours, `window` in all, at most a fifth of them.

    Only whole windows are averaged, so the ends are left out; `steps` are those of the middles.
    """
    size = max(1, min(window, len(values) // 5))
    middle = np.convolve(np.asarray(steps, float), np.full(size, 1 / size), "valid")
    return middle, np.convolve(np.asarray(values, float), np.full(size, 1 / size), "valid")


def _array(x: Tensor | NDArray[Any]) -> NDArray[Any]:
    return torch.as_tensor(x).detach().cpu().numpy()


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))
