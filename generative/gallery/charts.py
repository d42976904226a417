"""Charts of training and of latent spaces, as pictures; pyplot's global state is not touched."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture = NDArray[np.uint8]  # [H, W, 3]
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
) -> Picture:
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
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    points, colours = _array(z), _array(values)
    if points.ndim != 2 or points.shape[1] < 2 or colours.shape != points.shape[:1]:
        message = f"latents of shape {list(points.shape)} with values of {list(colours.shape)}"
        raise ValueError(f"{message}: expected [N, 2 or more] and [N]")
    first, second = dimensions or sorted(points.var(0).argsort()[-2:].tolist())
    figure = _figure(6.0, 5.2)
    axes = figure.add_subplot(title=title)
    axes.set_xlabel(f"${symbol}_{{{first}}}$")
    axes.set_ylabel(f"${symbol}_{{{second}}}$")
    dots: dict[str, Any] = {"s": 9.0, "alpha": 0.75, "linewidths": 0.0}
    distinct = np.unique(colours)
    if len(distinct) <= DISTINCT:
        for value in distinct:
            chosen = points[colours == value]
            label = names[int(value)] if names else f"{value:g}"
            axes.scatter(chosen[:, first], chosen[:, second], label=label, **dots)
        axes.legend(loc="best", markerscale=2.0, framealpha=0.9)
    else:
        axes.scatter(points[:, first], points[:, second], c=colours, cmap="viridis", **dots)
        scale = Normalize(colours.min(), colours.max())
        figure.colorbar(ScalarMappable(scale, "viridis"), ax=axes)
    axes.grid(alpha=0.25)
    return _drawn(figure)


def curves(metrics: Mapping[str, Curve], *, title: str = "", xlabel: str = "steps") -> Picture:
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
    figure = _figure(4.2 * across, 2.6 * down + 0.4 * bool(title))
    figure.suptitle(title)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes, (name, (steps, values)) in zip(panels, metrics.items(), strict=False):
        (line,) = axes.plot(steps, values, alpha=0.3, linewidth=1.0)
        axes.plot(*running_mean(steps, values), color=line.get_color(), linewidth=1.8)
        axes.set_title(name, fontsize="medium")
        axes.grid(alpha=0.25)
        axes.set_xlabel(xlabel)
    for axes in panels[len(metrics) :]:
        axes.remove()
    return _drawn(figure)


def bands(
    steps: Values,
    lines: Mapping[str, Sequence[Sequence[float]]],
    *,
    title: str = "",
    xlabel: str = "steps",
    ylabel: str = "",
) -> Picture:
    """Draw what several seeds reached: their median as a line, from the least to the most a band.

    Args:
        steps: `[N]`.
        lines: name -> values `[seeds, N]`; the legend says how many seeds there are.
        title: of the chart.
        xlabel: of the axis of steps.
        ylabel: of the other.
    """
    figure = _figure(6.0, 4.0)
    axes = figure.add_subplot(title=title, xlabel=xlabel, ylabel=ylabel)
    for name, seeds in lines.items():
        values = np.asarray(seeds, float)  # [seeds, N]
        count = f"n = {len(values)}" + (", median and range" if len(values) > 1 else "")
        label = f"{name} ({count})"
        (line,) = axes.plot(steps, np.median(values, 0), marker="o", label=label)
        edges = values.min(0), values.max(0)
        axes.fill_between(steps, *edges, color=line.get_color(), alpha=0.2, linewidth=0)
        axes.vlines(steps, *edges, color=line.get_color(), alpha=0.4)  # a band of one step is none
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(alpha=0.25)
    axes.legend(loc="best", framealpha=0.9)
    return _drawn(figure)


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

    return Figure(figsize=(width, height), dpi=120, layout="constrained")


def _drawn(figure: "Figure") -> Picture:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3].copy()
