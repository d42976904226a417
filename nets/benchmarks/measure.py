"""What each kind of benchmark does: choose, measure, and tell on the terminal and in documents."""

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from importlib.metadata import entry_points
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..near import hint
from ..placing.calls import CallError, PlaceError
from ..placing.each import Place, run_each
from ..placing.local import Local
from ..placing.named import place_named
from ..shell.command_line import CommandError, refusals
from ..shell.here import shown
from .options import BenchmarkOptions

if TYPE_CHECKING:
    from tqdm import tqdm

    from .quality import Row

# groups of entry points
SPEED, QUALITY = "dreamgym.benchmarks", "dreamgym.quality"
GROWTH, GPU = "dreamgym.growth", "dreamgym.gpu"


class Named(Protocol):
    """A case of speed or a row of quality."""

    @property
    def name(self) -> str:
        """What `--only` takes."""

    @property
    def what(self) -> str:
        """What is measured, in words."""


Kind = TypeVar("Kind", bound=Named)


def select(cases: Iterable[Kind], names: Sequence[str]) -> list[Kind]:
    """Return the cases with these names, or whose names begin so; all where no name is given.

    Raises:
        CommandError: a name fits none; the nearest is suggested.
    """
    known = {case.name: case for case in cases}
    chosen: dict[str, Kind] = {}
    for name in names:
        found = [name] if name in known else [other for other in known if other.startswith(name)]
        if not found:
            beginnings = {other.partition("-")[0] for other in known}
            raise CommandError(f"unknown case {name!r}: {hint(name, {*known, *beginnings})}")
        chosen |= {other: known[other] for other in found}
    return list(chosen.values() if names else known.values())


def measure_speed(options: BenchmarkOptions, call: str) -> int:
    """Measure our way and the peers' in turns."""
    from . import report
    from .timing import take_turns

    cases = select(_registered(SPEED), options.only)
    if options.list:
        return _list(cases)
    import torch

    torch.set_num_threads(1)
    results, left_out = [], []
    with _bar(sum(case.turns for case in cases)) as bar:
        _say(bar, options, report.speed_heading())
        for case in cases:
            bar.set_description(case.name)
            need = case.needs
            if need is not None and need.fetch is not None and options.fetch_peers:
                need.fetch()
            if need is not None and not need.there():
                left_out.append(case.name)
                message = f"{case.name} is left out, needs {need.what}: {need.remedy}"
                bar.write(message, file=sys.stderr)
                bar.update(case.turns)
                continue
            results.append(take_turns(case, bar.update))
            _say(bar, options, report.speed_line(results[-1]))
    about = report.machine()
    if options.write is not None:
        table = report.speed_table(results, about, call)
        report.write_between(options.write, "speed", table)
    if options.json:
        figures = [report.speed_json(result) for result in results]
        record = {"kind": "speed", "command": call, "machine": about}
        print(json.dumps(record | {"cases": figures, "left_out": left_out}))
    return 0


def measure_quality(options: BenchmarkOptions, call: str) -> int:
    """Train what has no result yet, and compare with known values; 1 where a row fails."""
    from . import report
    from .quality import run_row

    rows = select(_registered(QUALITY), options.only)
    if options.list:
        return _list(rows)
    with refusals(ValueError, PlaceError):
        place = place_named(options.on, options.jobs)
        place.require()
    outcomes, left_out = [], []
    file = None if options.data is None else shown(options.data)  # as records name it
    ready = []
    for row in rows:
        given, need = row.given(file), row.needs
        if given is None:
            lacks = f"{row.experiment.what}: --data FILE"
        elif need is not None and not need.there():
            lacks = f"{need.what}: {need.remedy}"
        else:
            ready.append(given)
            continue
        left_out.append(row.name)
        print(f"{row.name} is left out, needs {lacks}", file=sys.stderr)
    if place != Local():
        _place(ready, place, options)
    with _bar(sum(len(row.seeds(options.seeds)) for row in ready)) as bar:
        _say(bar, options, report.quality_heading())
        for row in ready:
            bar.set_description(row.name)
            outcomes.append(run_row(row, options.seeds, options.out, bar.update))
            _say(bar, options, report.quality_line(outcomes[-1]))
    if options.write is not None:
        table = report.quality_table(outcomes, report.machine(), call)
        report.write_between(options.write, "quality", table)
    if options.json:
        figures = [report.quality_json(outcome) for outcome in outcomes]
        record = {"kind": "quality", "command": call, "rows": figures}
        print(json.dumps(record | {"left_out": left_out}))
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def measure_gpu(options: BenchmarkOptions, call: str) -> int:
    """Measure speed, memory and equality on a GPU, and print them as one JSON object."""
    from . import report
    from .gpu import NEED, gpu_json, measure_case

    cases = select(_registered(GPU), options.only)
    if options.list:
        return _list(cases)
    if not NEED.there():
        raise CommandError(f"there is no GPU here: gpu needs {NEED.remedy}")
    results = []
    with _bar(sum(one.case.turns for one in cases)) as bar:
        for one in cases:
            bar.set_description(one.name)
            result = measure_case(one, bar.update)
            results.append(gpu_json(result, report.speed_json(result.speed)))
    about = report.machine() | {"gpu": report.gpu_name()}
    print(json.dumps({"kind": "gpu", "command": call, "machine": about, "cases": results}))
    return 0 if all(result["beside_the_cpu"]["equal"] for result in results) else 1


def _place(rows: "Sequence[Row]", place: Place, options: BenchmarkOptions) -> None:
    """Make all runs that are missing there, side by side; who looks for them finds them then."""
    from .quality import due, run_once

    missing = due(rows, options.seeds, options.out.absolute())
    with _bar(len(missing)) as bar, closing(run_each(run_once, missing, place)) as ended:
        try:
            for index in ended:
                name, _, seed, *_ = missing[index]
                bar.set_description(f"{name}, seed {seed}")
                bar.update()
        except CallError as error:
            name, _, seed, *_ = missing[error.index]
            raise CommandError(f"{name}, seed {seed}: {error}") from error
        except PlaceError as error:
            raise CommandError(str(error)) from error


def measure_growth(options: BenchmarkOptions, call: str) -> int:
    """Measure how figures grow beside their limits, and draw them."""
    from . import report
    from .growth_report import draw, growth_json, growth_lines, growth_table

    curves = select(_registered(GROWTH), options.only)
    if options.list:
        return _list(curves)
    import torch

    torch.set_num_threads(1)
    measured = []
    with _bar(sum(len(line.sizes) for curve in curves for line in curve.lines)) as bar:
        for curve in curves:
            bar.set_description(curve.name)
            measured.append((curve, curve.points(bar.update)))
            for line in growth_lines(*measured[-1]):
                _say(bar, options, line)
    about = report.machine()
    draw(measured, about, options.picture)
    if options.write is not None:
        table = growth_table(measured, about, call, options.picture, options.write)
        report.write_between(options.write, "growth", table)
    if options.json:
        record = {"kind": "growth", "command": call, "machine": about}
        print(json.dumps(record | {"curves": [growth_json(*each) for each in measured]}))
    return 0


def _registered(group: str) -> Iterable[Any]:
    """Load what the packages have entered in a group, in the packages' order."""
    points = sorted(entry_points(group=group), key=lambda point: point.value)
    return chain.from_iterable(point.load() for point in points)


def _list(cases: Sequence[Named]) -> int:
    width = max(len(case.name) for case in cases)
    for case in cases:
        print(f"{case.name:<{width}}  {case.what}")
    return 0


def _bar(total: int) -> "tqdm[Any]":
    from tqdm import tqdm

    return tqdm(total=total, unit="turn", dynamic_ncols=True, leave=False)


def _say(bar: "tqdm[Any]", options: BenchmarkOptions, line: str) -> None:
    if not options.json:
        bar.write(line)
