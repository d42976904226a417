"""Measure our speed beside the peers', or the quality of learning beside known values."""

import json
import shlex
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import entry_points
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, TypeVar

import tyro

from ..kinds import Count, Threads
from ..near import hint
from ..placing.calls import CallError, PlaceError
from ..placing.each import Place, run_each
from ..placing.local import Local
from ..placing.named import place_named
from ..settings import Settings
from ..shell.command_line import (
    CommandError,
    command,
    draw_off_screen,
    parse,
    refusals,
)
from ..shell.here import shown

if TYPE_CHECKING:
    from tqdm import tqdm

    from .quality import Row

SPEED, QUALITY = "dreamgym.benchmarks", "dreamgym.quality"  # groups of entry points
TEXT = """Measure speed beside the peers', or the quality of learning beside known values.

speed: our way and the peers' take turns in one process, so that what slows the machine slows both;
the ratio is the median over the rounds, and its range. quality: every run leaves a JSON file, and
runs whose file is there are not repeated.

examples:
  {command}                          every case of speed, about a quarter of an hour
  {command} --only lake cartpole     the cases whose names begin so
  {command} --json > speed.json
  {command} quality --seeds 5        the table, into results/
  {command} quality --only generative --write results/generative/README.md
  {command} quality --on local:4     several runs at a time
  {command} quality --list"""


_ONLY = tyro.conf.arg(metavar="NAME ...", help_behavior_hint="")


@dataclass(frozen=True)
class BenchmarkOptions(Settings):
    """What to measure."""

    kind: tyro.conf.Positional[Literal["speed", "quality"]] = "speed"
    """speed or quality."""
    only: Annotated[tuple[str, ...], _ONLY] = ()
    """Cases by name, or by the beginning of names; all by default."""
    json: bool = False
    """Print one JSON object instead of text."""
    list: bool = False
    """List the cases and measure nothing."""
    write: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Also write the table into a document, such as docs/benchmarks.md, between its marks."""
    fetch_peers: bool = False
    """speed: make throw-away environments, here in .venv-*, for peers that are not installed."""
    seeds: Count = 5
    """quality: seeds per row."""
    out: Path = Path("results")
    """quality: folder of the results."""
    on: Annotated[str, tyro.conf.arg(metavar="PLACE")] = "local"
    """quality: where runs are computed: local[:N], ray[:ADDRESS] or slurm[:NAME=VALUE,...]."""
    jobs: Annotated[Threads | None, tyro.conf.arg(metavar="N")] = None
    """quality: runs at a time; by default one here, as many as there is room for elsewhere."""
    data: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """quality: pictures of MNIST, a .npz or idx file, for the rows that need it."""


class Named(Protocol):
    """A case of speed or a row of quality."""

    @property
    def name(self) -> str:
        """What `--only` takes."""

    @property
    def what(self) -> str:
        """What is measured, in words."""


Kind = TypeVar("Kind", bound=Named)


@command
def main(argv: list[str]) -> int:
    """Measure, and print a table or JSON; 1 where a row of quality fails."""
    options = parse(BenchmarkOptions, "benchmark", argv, TEXT)
    draw_off_screen()
    if options.write is not None:
        from .report import around

        with refusals(ValueError):
            around(options.write, options.kind)
    call = shlex.join(["python", "scripts/benchmark.py", *argv])
    return (_speed if options.kind == "speed" else _quality)(options, call)


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


def _speed(options: BenchmarkOptions, call: str) -> int:
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


def _quality(options: BenchmarkOptions, call: str) -> int:
    from . import report
    from .quality import run_row

    rows = select(_registered(QUALITY), options.only)
    if options.list:
        return _list(rows)
    with refusals(ValueError):
        place = place_named(options.on, options.jobs)
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
