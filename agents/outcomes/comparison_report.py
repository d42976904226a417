"""What a comparison shows: learning curves with their uncertainty, and a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from nets.drawing.figures import count_steps, limit, plain, reference, save
from nets.drawing.style import looks, styled
from nets.glance import rows_in_a_table
from nets.runs.checkpoint import atomic_write

from .records import Record
from .references import solved_from
from .statistics import Scores, bootstrap_interval, interquartile_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

HEADER = ("contender", "figure", "IQM", "95 % interval", "median", "per seed", "steps", "steps/s")
LEGEND = """*Best* is the checkpoint with the best evaluation of its training, measured again in 100
episodes that no training has seen; *final* is the last evaluation of the training. IQM is the mean
of the middle half of the seeds; its interval comes from 10,000 bootstrap resamples of the seeds."""
HEIGHT, LINE = 5.0, 0.26  # inches of the figure at least, and for each line of labels
LETTERS = 32  # of a line of a label
RAW = "*Raw* counts the environment's own rewards, before wrappers change them."


@dataclass(frozen=True)
class Figure:
    """A figure of every seed, and what they say together."""

    values: Scores  # [seeds]

    @property
    def iqm(self) -> float:
        """The interquartile mean."""
        return float(interquartile_mean(self.values))

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % bootstrap interval of the interquartile mean; None for a single seed."""
        if len(self.values) < 2:
            return None
        low, high = bootstrap_interval(self.values)
        return float(low), float(high)


@dataclass(frozen=True)
class Outcome:
    """The runs of one contender."""

    label: str
    records: Sequence[Record]

    @property
    def best(self) -> Figure:
        """The best checkpoint's mean return in fresh episodes."""
        return Figure(np.array([record["result"]["figure"] for record in self.records]))

    @property
    def final(self) -> Figure:
        """The last evaluation of the training."""
        ends = [record["result"]["curve"]["return"][-1] for record in self.records]
        return Figure(np.array(ends))

    @property
    def raw(self) -> Figure | None:
        """The best checkpoint by the environment's own rewards; None: no wrapper changes these."""
        found = [record["result"].get("raw_figure") for record in self.records]
        return None if None in found else Figure(np.array(found))

    @property
    def steps(self) -> int:
        """Steps of a run."""
        return max(record["config"]["steps"] for record in self.records)

    @property
    def speed(self) -> float:
        """The median of the steps per second, evaluations included."""
        return median(record["result"]["steps_per_second"] for record in self.records)

    def curves(self) -> tuple[Scores, Scores]:
        """Return steps `[T]` and the evaluations of every seed `[T, seeds]`.

        Where seeds were evaluated at different steps, between the last beginning and the first end,
        on the straight lines between evaluations.
        """
        each = [record["result"]["curve"] for record in self.records]
        grid = np.unique(np.concatenate([curve["step"] for curve in each]))
        first, last = max(c["step"][0] for c in each), min(c["step"][-1] for c in each)
        grid = grid[(grid >= first) & (grid <= last)]
        returns = [np.interp(grid, curve["step"], curve["return"]) for curve in each]
        return grid, np.stack(returns, axis=-1)


class Outcomes(list[Outcome]):
    """Outcomes of a comparison, which a notebook shows as its table."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the same rows as README.md has."""
        return rows_in_a_table(self, table(self))


def summarize(records: Sequence[Record]) -> Outcomes:
    """Return an outcome per contender, the best first."""
    by_label = groupby(records, key=lambda record: record["experiment"])
    outcomes = [Outcome(label, list(runs)) for label, runs in by_label]
    return Outcomes(sorted(outcomes, key=attrgetter("best.iqm"), reverse=True))


def table(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """Return rows of cells, two per contender, below `HEADER`."""
    largest = max((abs(value) for each in outcomes for value in each.best.values), default=0.0)
    digits = 3 if largest < 10 else 1 if largest < 10_000 else 0
    rows: list[tuple[str, ...]] = [HEADER]
    for outcome in outcomes:
        length = f"{outcome.steps:,}", f"{outcome.speed:,.0f}"
        best = _cells(outcome.best, digits)
        rows.append((outcome.label, "best", *best, *length))
        rows.append(("", "final", *_cells(outcome.final, digits), "", ""))
        if outcome.raw is not None:
            rows.append(("", "best, raw", *_cells(outcome.raw, digits), "", ""))
    return rows


def run_line(record: Record) -> str:
    """Tell what came out of a run, in one line."""
    result = record["result"]
    own = f" ({result['raw_figure']:.6g} raw)" if "raw_figure" in result else ""
    return (
        f"{record['experiment']}, seed {record['seed']}: best {result['figure']:.6g}{own} at step "
        f"{result['step']:,}, final {result['curve']['return'][-1]:.6g}, {record['seconds']:.0f} s"
    )


def as_text(rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table for the terminal."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def as_markdown(outcomes: Sequence[Outcome]) -> str:
    """Return the page of a comparison: curves, table, where it comes from."""
    runs = [record for outcome in outcomes for record in outcome.records]
    lines = [f"| {' | '.join(row)} |" for row in table(outcomes)]
    lines.insert(1, "|" + "---|" * len(HEADER))
    commits = sorted({str(run["commit"])[:12] for run in runs})
    commands = sorted({run["command"] for run in runs})
    versions = runs[-1]["versions"]
    return "\n".join(
        [
            f"# {title(outcomes)}",
            "",
            "![learning curves](curves.png)",
            "",
            *lines,
            "",
            LEGEND + (f"\n{RAW}" if any(outcome.raw for outcome in outcomes) else ""),
            "",
            *(f"    {command}" for command in commands),
            "",
            f"Commit {', '.join(commits)}; "
            + ", ".join(f"{name} {number}" for name, number in versions.items())
            + ".",
            "",
        ]
    )


def title(outcomes: Sequence[Outcome]) -> str:
    """Name the environment and the number of seeds."""
    record, counts = outcomes[0].records[0], {len(outcome.records) for outcome in outcomes}
    seeds = " to ".join(str(count) for count in sorted({min(counts), max(counts)}))
    return f"{record['config']['env']}, {seeds} seed{'s' * (max(counts) > 1)}"


def curves(outcomes: Sequence[Outcome]) -> "Canvas":
    """Return a figure of the interquartile mean of the evaluations of every contender.

    Where a contender has several seeds, with its 95 % interval.
    """
    from matplotlib.figure import Figure as Canvas

    style = looks([outcome.label for outcome in outcomes])
    ends, middles, edges = [], [], []
    with styled():
        names = [folded(outcome.label) for outcome in outcomes]
        most = max(name.count("\n") + 1 for name in names)
        height = max(HEIGHT, LINE * most * len(outcomes))
        canvas = Canvas(figsize=(9, height))
        axes = canvas.subplots()
        for name, outcome in zip(names, outcomes, strict=True):
            steps, returns = outcome.curves()
            middle = interquartile_mean(returns)  # [T]
            color, dashes = style[outcome.label]
            axes.plot(steps, middle, lw=2, color=color, linestyle=dashes)
            axes.plot(steps[-1:], middle[-1:], marker="o", markersize=4, color=color)
            middles.append(middle)
            if returns.shape[-1] > 1:
                low, high = bootstrap_interval(returns)
                axes.fill_between(steps, low, high, color=color, alpha=0.15, lw=0)
                edges += [low, high]
            ends.append((name, float(steps[-1]), float(middle[-1]), color))
        axes.set_title(plain(title(outcomes)), loc="left", pad=12)
        axes.set_xlabel("environment steps")
        axes.set_ylabel(_evaluated(outcomes, bool(edges)))
        count_steps(axes)
        axes.set_xlim(left=0)
        axes.margins(x=0)
        config = outcomes[0].records[0]["config"]
        solved = solved_from(config.get("recipe") or {"id": config["env"]})
        kept = [value for _, _, value, _ in ends] + ([] if solved is None else [solved])
        limit(axes, np.concatenate(middles), np.concatenate([*edges, []]), kept)
        if solved is not None:
            reference(axes, solved, "solved")
        apart = 0.055 * most * HEIGHT / height  # of the axis
        _label(axes, [end for end in ends if np.isfinite(end[2])], apart)
    return canvas


def folded(name: str) -> str:
    """Return a contender's name as it is written beside its curve: a long one line by line."""
    lines = [name] if len(name) <= LETTERS else name.replace(":", "\n:").split("\n")
    short = (line if len(line) <= LETTERS else f"{line[: LETTERS - 3]}..." for line in lines)
    return plain("\n".join(short))


def _evaluated(outcomes: Sequence[Outcome], certain: bool) -> str:
    """Say what a point of a curve is: of several seeds a mean with its interval."""
    episodes = outcomes[0].records[0]["config"]["eval_episodes"]
    what = "interquartile mean of seeds, 95 % interval" if certain else "a single seed"
    return f"return, greedy, {episodes} episodes\n({what})"


def write(records: Sequence[Record], path: Path) -> Outcomes:
    """Write README.md and curves.png of a comparison's folder."""
    outcomes = summarize(records)
    save(curves(outcomes), path / "curves.png")
    text = as_markdown(outcomes).encode()
    atomic_write(path / "README.md", lambda file: file.write(text))
    return outcomes


def _label(axes: "Axes", ends: Sequence[tuple[str, float, float, Any]], apart: float) -> None:
    """Write every label beside its curve's end, this share of the axis apart at least.

    Lines lead from curves to labels, but where several end at one place: there they would be one
    bundle, and each label has a stroke of its colour before it instead.
    """
    if not ends:
        return
    low, high = axes.get_ylim()
    right, gap = axes.get_xlim()[1], apart * (high - low)
    ends = sorted(ends, key=lambda end: end[2])
    wanted = np.array([end[2] for end in ends])
    heights = spread(wanted, gap)
    heights -= max(heights[-1] - high, 0.0)  # none above the picture
    for (name, step, value, color), y in zip(ends, heights, strict=True):
        together = sum(abs(wanted - value) < 0.01 * (high - low)) > 1
        axes.annotate(
            name,
            xy=(right, y) if together else (step, value),
            xytext=(right + 0.03 * right, y),
            color=color,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": color,
                "alpha": 1.0 if together else 0.4,
                "lw": 2.0 if together else 0.8,
            },
        )


def spread(wanted: Scores, gap: float) -> Scores:
    """Return the heights nearest to `wanted`, which ascend, that are `gap` apart (least squares).

    With z_i = y_i - i · gap this is isotonic regression: neighbours in the wrong order are merged.
    """
    blocks: list[list[float]] = []
    for z in wanted - gap * np.arange(len(wanted)):
        blocks.append([float(z)])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    level = np.concatenate([np.full(len(block), np.mean(block)) for block in blocks])
    return level + gap * np.arange(len(wanted))


def _cells(figure: Figure, digits: int) -> tuple[str, str, str, str]:
    def show(value: float) -> str:
        return f"{value:.{digits}f}"

    interval = "" if figure.interval is None else " to ".join(map(show, figure.interval))
    middle = show(float(np.median(figure.values)))
    return show(figure.iqm), interval, middle, " ".join(map(show, figure.values))
