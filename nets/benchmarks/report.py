"""Results as lines on the terminal, as JSON, and as tables in a document."""

import math
import os
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from ..runs.provenance import git_commit, git_dirty, processor, versions
from .quality import Outcome
from .timing import Case, Ratio, Result

LIBRARIES = ("stable-baselines3",)


def speed_line(result: Result) -> str:
    """Return a line: our figure, the closest peer's, the ratio with its range, and the bar."""
    case, peer = result.case, result.closest
    verdict = "ok" if result.passed else "BELOW"
    ours, theirs = median(result.ours), median(result.peers[peer])
    return (
        f"{case.name:<24} {with_unit(ours, case.unit):>14}  {with_unit(theirs, case.unit):>14} "
        f"{peer:<38} {_ratio(result.ratios[peer]):<20} {_bar(case):<20} {verdict}"
    )


def speed_heading() -> str:
    """Return the heading of `speed_line`."""
    return (
        f"{'case':<24} {'ours':>14}  {'peer':>14} {'(the closest)':<38} {'ratio (range)':<20} bar"
    )


def quality_line(outcome: Outcome) -> str:
    """Return a line: the figure's median and range over the seeds, the reference, the verdict."""
    row, figures = outcome.row, outcome.figures
    verdict = "ok" if outcome.passed else "FAILED"
    spread = f"({min(figures):.6g} to {max(figures):.6g})" if len(figures) > 1 else ""
    return (
        f"{row.name:<40} {median(figures):>12.6f} {spread:<26} {len(figures):>5} "
        f"{row.reference:>12.6f}  {_range(outcome):<28} {verdict}"
    )


def quality_heading() -> str:
    """Return the heading of `quality_line`."""
    return f"{'row':<40} {'median':>12} {'(range)':<26} {'seeds':>5} {'reference':>12}  passes"


def machine() -> dict[str, Any]:
    """Describe what the figures depend on: hardware, threads, versions, commit."""
    found = versions()
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "not installed"
    return {
        "processor": processor()["name"],
        "capability": processor()["capability"],
        "cores": os.cpu_count(),
        "torch_threads": 1,
        "versions": found,
        "commit": git_commit(),
        "dirty": git_dirty(),
    }


def gpu_name() -> str:
    """Return what the GPU is called."""
    import torch

    return torch.cuda.get_device_name()


def speed_json(result: Result) -> dict[str, Any]:
    """Return a result as plain values, all rounds included."""
    case = result.case
    peers = [
        {
            "name": name,
            "median": _finite(median(figures)),
            "rounds": [_finite(figure) for figure in figures],
            "ratio": _finite(ratio.median),
            "ratio_range": [_finite(ratio.low), _finite(ratio.high)],
        }
        for (name, figures), ratio in zip(result.peers.items(), result.ratios.values(), strict=True)
    ]
    return {
        "name": case.name,
        "what": case.what,
        "n": f"{case.rounds} rounds of {case.work}",
        "unit": case.unit,
        "ours": {
            "name": case.ours.name,
            "median": _finite(median(result.ours)),
            "rounds": [_finite(figure) for figure in result.ours],
        },
        "peers": peers,
        "closest_peer": result.closest,
        "bar": case.bar,
        "floor": case.floor,
        "passed": result.passed,
    }


def quality_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as plain values."""
    row = outcome.row
    return {
        "name": row.name,
        "what": row.what,
        "figures": outcome.figures,
        "median": median(outcome.figures),
        "reference": row.reference,
        "low": _finite(row.low),
        "high": _finite(row.high),
        "every_seed": row.every_seed,
        "passed": outcome.passed,
    }


def speed_table(results: list[Result], about: dict[str, Any], call: str) -> str:
    """Return results as a Markdown table under lines about the machine and the command."""
    rows = []
    for result in results:
        case, peer = result.case, result.closest
        ours = with_unit(median(result.ours), case.unit)
        theirs = with_unit(median(result.peers[peer]), case.unit)
        ratio, work = _ratio(result.ratios[peer]), f"{case.rounds} x {case.work}"
        missed = "" if result.passed else ", missed"
        what = f"`{case.name}`: {case.what}"
        rows.append((what, ours, f"{theirs} {peer}", ratio, f"{_bar(case)}{missed}", work))
    origin = f"`{call}` at commit {str(about['commit'])[:12]}."
    return table(origin, about, "| case | ours | peer | ratio (range) | bar | n |", rows)


def quality_table(outcomes: list[Outcome], about: dict[str, Any], call: str) -> str:
    """Return outcomes as a Markdown table under lines about the machine and the command."""
    rows = []
    for outcome in outcomes:
        row, figures = outcome.row, outcome.figures
        spread = f"{min(figures):.6g} to {max(figures):.6g}" if len(figures) > 1 else ""
        verdict = "yes" if outcome.passed else "**no**"
        what, middle = f"`{row.name}`: {row.what}", f"{median(figures):.6f}"
        reference, count = f"{row.reference:.6f}", str(len(figures))
        rows.append((what, middle, spread, count, reference, _range(outcome), verdict))
    origin = f"`{call}`; every run's file names its commit."
    return table(origin, about, "| row | median | range | seeds | reference | passes | |", rows)


def write_between(path: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->` in a document."""
    before, after = around(path, name)
    path.write_text(f"{before}\n{text}\n\n{after}", encoding="utf-8")


def around(path: Path, name: str) -> tuple[str, str]:
    """Return a document up to the mark `<!-- NAME -->`, and from `<!-- /NAME -->` on.

    Raises:
        ValueError: the document lacks the marks.
    """
    opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = path.read_text(encoding="utf-8").partition(opening)
    _, end, after = rest.partition(closing)
    if not found or not end:
        raise ValueError(f"{path} has no lines '<!-- {name} -->' and '<!-- /{name} -->'")
    return before + opening, closing + after


def table(origin: str, about: dict[str, Any], heading: str, rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table under a line about its origin and one about the machine."""
    rule = "|---" * (heading.count("|") - 1) + "|"
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([origin, _machine_line(about), "", heading, rule, *lines])


def _machine_line(about: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    return (
        f"{about['processor']}, {about['cores']} cores; torch on {about['torch_threads']} thread;"
        f" {versions}."
    )


def with_unit(value: float, unit: str) -> str:
    """Return a figure with three digits: 471k steps/s, 56.2M steps/s, 2.31 s."""
    if math.isinf(value):
        return "never"
    for factor, letter in ((1e6, "M"), (1e3, "k")):
        if unit != "s" and value >= factor:
            return f"{_digits(value / factor)}{letter} {unit}"
    return f"{_digits(value)} {unit}"


def _digits(value: float) -> str:
    """Return three digits, or two that tell anything, never as a power of ten."""
    if math.isinf(value):
        return "inf"
    if 0 < value < 0.1:
        return f"{value:.{1 - math.floor(math.log10(value))}f}"
    return f"{value:.{max(3 - len(str(int(value))), 0)}f}"


def _ratio(ratio: Ratio) -> str:
    return f"{_digits(ratio.median)} ({_digits(ratio.low)} to {_digits(ratio.high)})"


def _bar(case: Case) -> str:
    bars = [] if case.bar is None else [f"{case.bar:g}x"]
    floors = [] if case.floor is None else [with_unit(case.floor, case.unit)]
    return " and ".join(bars + floors) or "none"


def _range(outcome: Outcome) -> str:
    row = outcome.row
    seeds = "every seed" if row.every_seed and row.seeded else "median"
    low = "" if math.isinf(row.low) else f">= {row.low:.6g}"
    high = "" if math.isinf(row.high) else f"<= {row.high:.6g}"
    if not low and not high:
        return "no bar"
    if low and high and row.high - row.low < 1e-5:
        return "equal to 1e-6" + (", every seed" if row.seeded else "")
    return ", ".join(filter(None, (low, high, seeds)))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
