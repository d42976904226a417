"""The numbers of a run, metrics.csv: row by row, so that a long file takes no more memory."""

import csv
import io
import re
import zlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from .checkpoint import Damaged, atomic_write, fitting

MOST_METRICS, MOST_COLUMNS = 2**26, 1000  # bytes; far more than a run writes
LONGEST_LINE = 2**18  # letters
Points = tuple[NDArray[np.float64], NDArray[np.float64]]
Mark = dict[str, int]
"""What a checkpoint remembers of the rows that were there before it."""


@dataclass
class _Marking:
    """The mark of rows that come one by one."""

    rows: int = 0
    crc32: int = 0

    def add(self, row: Mapping[str, str]) -> None:
        said = "\n" * bool(self.rows) + ",".join(f"{k}={row[k]}" for k in sorted(row))
        self.crc32 = zlib.crc32(said.encode(), self.crc32)
        self.rows += 1


def check_rows(path: Path, step: int, mark: Mark) -> None:
    """Compare the rows up to `step` with the `mark` of then.

    Raises:
        Damaged: some are lost, or say something else.
    """
    found = _Marking()
    for row in _rows(path, step):
        found.add(row)
    if found.rows != mark["rows"]:
        message = f"{path} has {found.rows} rows up to step {step}"
        raise Damaged(f"{message}, and had {mark['rows']}")
    if asdict(found) != mark:
        raise Damaged(f"{path} is not as it was written: rows up to step {step} differ")


def _rows(path: Path, last: int | None = None) -> Iterator[dict[str, str]]:
    """Read the cells of the rows on disk; a last row that a crash tore is left out.

    Args:
        path: the file; where there is none, there are no rows.
        last: the step of the last that counts.

    Raises:
        Damaged: the file is no table, or far too large.
    """
    if not path.is_file():
        return
    if path.stat().st_size > MOST_METRICS:
        raise Damaged(f"{path} has more than {MOST_METRICS:,} bytes")
    with path.open(encoding="utf-8", errors="replace") as file:
        table = csv.reader(_whole_lines(path, file))
        try:
            header = next(table, [])
            if len(header) > MOST_COLUMNS:
                raise Damaged(f"{path} has {len(header):,} columns")
            for cells in table:
                row = {k: v for k, v in zip(header, cells, strict=False) if k and v}
                step = row.get("step", "")
                if re.fullmatch("[0-9]{1,18}", step) and (last is None or int(step) <= last):
                    yield row
        except csv.Error as error:
            raise Damaged(f"{path} cannot be read: {error}") from error


def _whole_lines(path: Path, file: IO[str]) -> Iterator[str]:
    for line in iter(partial(file.readline, LONGEST_LINE), ""):
        if not line.endswith("\n"):
            if len(line) == LONGEST_LINE:
                raise Damaged(f"{path} has a row of {LONGEST_LINE:,} letters and more")
            return
        yield line


class MetricsFile:
    """A CSV file with one row per logged step, cut back to the checkpoint when a run resumes.

    Rows hold nothing that depends on the clock, so the file is a function of configuration and
    seed. A metric that appears late becomes a new column; earlier rows leave it empty.
    """

    def __init__(self, path: str | Path, resume_step: int = 0) -> None:
        self.path = Path(path)
        self._columns: list[str] = ["step"]
        self._marking = _Marking()
        for row in _rows(self.path, resume_step):
            self._count(row)
        self._rewrite(resume_step)

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Add a row; the file is whole after every call."""
        width, row = len(self._columns), {"step": str(step)}
        row |= {k: str(v) for k, v in metrics.items()}
        self._count(row)
        if len(self._columns) > width:
            self._rewrite(None)
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns, lineterminator="\n").writerow(row)

    def mark(self) -> Mark:
        """Return how many rows there are, and a checksum of what they say."""
        return asdict(self._marking)

    def _count(self, row: Mapping[str, str]) -> None:
        self._marking.add(row)
        self._columns += [name for name in row if name not in self._columns]

    def _rewrite(self, last: int | None) -> None:
        """Write the rows up to a step anew, under all columns that there are now."""
        atomic_write(self.path, partial(self._copy, last))

    def _copy(self, last: int | None, file: IO[bytes]) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.DictWriter(text, self._columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_rows(self.path, last))
        text.detach()  # the file stays open


def read_metrics(metrics_file: str | Path) -> dict[str, Points]:
    """Return each column of a metrics.csv as (steps, values), without its empty cells.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is far too large, or holds something else than numbers.
    """
    if not Path(metrics_file).exists():
        raise FileNotFoundError(f"there is no {metrics_file}")
    columns: dict[str, array[float]] = {}  # steps and values in turn
    with fitting(metrics_file):
        for row in _rows(Path(metrics_file)):
            step = float(row.pop("step"))
            for name, value in row.items():
                columns.setdefault(name, array("d")).extend((step, float(value)))
    tables = {name: np.array(column).reshape(-1, 2) for name, column in columns.items()}
    return {name: (table[:, 0], table[:, 1]) for name, table in tables.items()}
