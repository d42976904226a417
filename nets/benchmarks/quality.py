"""Quality: figures that learning must reach, one run per seed, and the files that keep the runs.

A row of the table says what is run, which of the run's figures counts, and which values pass. Every
run leaves `FOLDER/RUNS/seed-K.json`; while its configuration stays the same it is not run again.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import getitem
from pathlib import Path
from statistics import median
from typing import Any, Protocol, TypeAlias

from ..glance import rows_in_a_table
from ..runs.checkpoint import CheckpointError, load_json, save_json
from ..runs.provenance import git_commit, git_dirty, origin
from ..settings import to_plain
from .timing import Need

TOLERANCE = 1e-6
OFF: tuple[Any, ...] = (None, False, 0, "auto", "none", [], {}, "normal", "torch")
"""What a setting is where it changes nothing."""


class Experiment(Protocol):
    """Something that gives figures for a seed; equal configurations give equal figures."""

    def config(self) -> dict[str, Any]:
        """Everything but the seed that the figures depend on, all of which JSON can hold."""

    def run(self, seed: int) -> dict[str, Any]:
        """Return figures by name, and what else is worth keeping, all of which JSON can hold."""


Run: TypeAlias = tuple[str, Experiment, int, Path, str]
"""Name, experiment, seed, folder and command of a run."""


@dataclass(frozen=True)
class OfFile:
    """An experiment on a file that the user has.

    Attributes:
        what: the file, in words.
        make: makes the experiment of the file's path.
    """

    what: str
    make: Callable[[Path], Experiment]


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        name: what `--only` takes.
        what: the figure, in words.
        experiment: what gives it for a seed.
        reference: what it is compared with.
        low: least figure that passes.
        high: largest figure that passes.
        every_seed: whether each seed must pass, not only their median.
        seeded: whether the figure depends on the seed at all.
        figure: which of the run's figures it is; `of.name` for one within another.
        runs: where the runs are kept, for rows that look at the same ones; `name` where empty.
        needs: what it cannot be run without; None: nothing.
    """

    name: str
    what: str
    experiment: Experiment | OfFile
    reference: float
    low: float = -math.inf
    high: float = math.inf
    every_seed: bool = False
    seeded: bool = True
    figure: str = "figure"
    runs: str = ""
    needs: Need | None = None

    def seeds(self, count: int) -> range:
        """The seeds to run when `count` are asked for."""
        return range(count if self.seeded else 1)

    def passes(self, figures: Iterable[float]) -> bool:
        """Whether figures, one per seed, are good enough."""
        figures = list(figures)
        judged = figures if self.every_seed else [median(figures)]
        return all(self.low <= figure <= self.high for figure in judged)

    def given(self, file: Path | None) -> "Row | None":
        """The row with its experiment made of `file`; None where it needs one and there is none."""
        if not isinstance(self.experiment, OfFile):
            return self
        return None if file is None else replace(self, experiment=self.experiment.make(file))


def exactly(
    name: str, what: str, experiment: Experiment, reference: float, *, seeded: bool = False
) -> Row:
    """Return a row whose figures must equal the reference to 1e-6, for every seed."""
    low, high = reference - TOLERANCE, reference + TOLERANCE
    return Row(name, what, experiment, reference, low, high, every_seed=True, seeded=seeded)


@dataclass(frozen=True)
class Advantage:
    """The figures of one experiment minus those of another, under the same seed."""

    of: Experiment
    over: Experiment

    def config(self) -> dict[str, Any]:
        """Return both configurations."""
        return {"of": self.of.config(), "over": self.over.config()}

    def run(self, seed: int) -> dict[str, Any]:
        """Run both."""
        of, over = self.of.run(seed), self.over.run(seed)
        differences = {
            name: value - over[name]
            for name, value in of.items()
            if isinstance(value, int | float) and name in over
        }
        return differences | {"of": of, "over": over}


@dataclass(frozen=True)
class Outcome:
    """What a row came to."""

    row: Row
    records: Sequence[Mapping[str, Any]]

    @property
    def figures(self) -> list[float]:
        """One figure per seed."""
        *path, name = self.row.figure.split(".")
        return [reduce(getitem, path, record["result"])[name] for record in self.records]

    def _repr_html_(self) -> str:
        """Return what a notebook shows: what was measured, and whether that is good enough."""
        row, figures = self.row, self.figures
        head = ["row", "what", "median", "least", "largest", "seeds", "reference", "passed"]
        spread = median(figures), min(figures), max(figures), len(figures)
        return rows_in_a_table(
            self, [head, [row.name, row.what, *spread, row.reference, self.passed]]
        )

    @property
    def passed(self) -> bool:
        """Whether they are good enough."""
        return self.row.passes(self.figures)


def run_row(row: Row, seeds: int, folder: Path, tick: Callable[[], object]) -> Outcome:
    """Run a row for each seed that has no result yet.

    Args:
        row: the row.
        seeds: how many.
        folder: where results are kept.
        tick: called after every seed.

    Raises:
        ValueError: the row needs a file, and was not given it.
    """
    records = []
    for run in runs(row, seeds, folder):
        records.append(run_once(*run))
        tick()
    return Outcome(row, records)


def runs(row: Row, seeds: int, folder: Path) -> list[Run]:
    """Return what `run_once` is given for each seed of a row.

    Raises:
        ValueError: the row needs a file, and was not given it.
    """
    if isinstance(row.experiment, OfFile):
        raise ValueError(f"{row.name} needs {row.experiment.what}")
    name, command = row.runs or row.name, "python scripts/benchmark.py quality --only"
    return [
        (name, row.experiment, seed, folder, f"{command} {name} --seeds {seed + 1}")
        for seed in row.seeds(seeds)
    ]


def due(rows: Iterable[Row], seeds: int, folder: Path) -> list[Run]:
    """Return the runs of rows that have no result yet, each once."""
    wanted = {(run[0], run[2]): run for row in rows for run in runs(row, seeds, folder)}
    return [run for run in wanted.values() if _kept(*run[:4]) is None]


def run_once(
    name: str, experiment: Experiment, seed: int, folder: Path, command: str
) -> dict[str, Any]:
    """Run an experiment for a seed, unless its file holds a run of the same configuration.

    Settings that came after the run are the same where they are off: see `agrees`.

    Args:
        name: of the experiment and of its folder in `folder`.
        experiment: what gives figures.
        seed: its seed.
        folder: where results are kept.
        command: what the record says is to be typed to get it.

    Returns:
        What the file holds: experiment, seed, config, result, seconds, commit, whether files of it
        had been changed, command, versions, processor.
    """
    kept = _kept(name, experiment, seed, folder)
    if kept is not None:
        return kept
    config = to_plain(experiment.config())
    started = time.perf_counter()
    result = experiment.run(seed)
    seconds = time.perf_counter() - started
    record = make_record(name, seed, config, result, seconds, command)
    save_json(_file(name, seed, folder), record)
    return record


def _kept(name: str, experiment: Experiment, seed: int, folder: Path) -> dict[str, Any] | None:
    kept = read_record(_file(name, seed, folder))
    if kept is None or kept.get("seed") != seed:
        return None
    return kept if agrees(kept.get("config"), to_plain(experiment.config())) else None


def _file(name: str, seed: int, folder: Path) -> Path:
    return folder / name / f"seed-{seed}.json"


def agrees(kept: Any, config: Any) -> bool:
    """Whether a run of the configuration `kept` would be the same today, as `config`.

    What `kept` does not have came later: it must be off (None, false, 0, empty, "auto", "none"),
    or what was the only way before (a "normal" prior, a kernel of "torch"), or the run was another.
    """
    if not (isinstance(kept, dict) and isinstance(config, dict)):
        return bool(kept == config)
    later = [value for name, value in config.items() if name not in kept]
    return all(any(value is off or value == off for off in OFF) for value in later) and all(
        name in config and agrees(value, config[name]) for name, value in kept.items()
    )


def make_record(
    name: str, seed: int, config: Any, result: Any, seconds: float, command: str
) -> dict[str, Any]:
    """Return what a file of results holds: what was run and how, where, and what came out."""
    return {
        "experiment": name,
        "seed": seed,
        "config": config,
        "result": result,
        "seconds": round(seconds, 3),
        "commit": git_commit(),
        "dirty": git_dirty(),
        "command": command,
        **origin(),
    }


def read_record(file: Path) -> dict[str, Any] | None:
    """Return what an earlier call left; None for nothing that can be read."""
    try:
        record = load_json(file)
    except (OSError, CheckpointError):
        return None
    return record if isinstance(record, dict) and "result" in record else None
