"""Tables of text, .csv and .tsv: columns of numbers, standardised, and perhaps one of classes."""

import codecs
import csv
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nets.registry import Registry

from .arrays import readable
from .dataset import Units
from .labels import are_measures
from .stored import BLOCK

Line = tuple[int, list[str]]
"""Where it stands in its file, and its cells."""

MISSING = ("", "na", "n/a", "nan", "null", "none", "?", "-")
TRUTHS = {"true": 1.0, "false": 0.0}  # as pandas writes a column of them
CLASSES = ("label", "labels", "class")  # columns that are taken for classes unasked
TABLES = (".csv", ".tsv")
SAID = re.compile("sep=([,;\t])[\r\n]*")  # how Excel is told by what cells are parted
FAR = 1e150  # what is further from 0 has a square that is infinite


@dataclass(frozen=True)
class Table:
    """What a file holds.

    Attributes:
        columns: names of the numeric columns.
        values: float64 `[N, D]`.
        classes: the texts of the column of classes, `[N]`; None without one.
        notes: what was made of it.
        whole: which numeric columns are written without a fraction.
        label: name of the column of classes.
    """

    columns: tuple[str, ...]
    values: NDArray[np.float64]
    classes: NDArray[np.str_] | None
    notes: tuple[str, ...]
    whole: tuple[bool, ...]
    label: str | None


def lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a text whose cells are parted by commas, semicolons or tabs.

    Which of them it is, the first line says by what it has most of, or as Excel does by `sep=;`.
    Empty lines are left out. A text is UTF-8, UTF-16 that begins with its mark, or else what
    Windows writes in the west.

    Raises:
        ValueError: it is no text.
    """
    with readable(path), path.open(encoding=_encoding(path), newline="") as file:
        first = file.readline()
        said = SAID.fullmatch(first)
        mark = said[1] if said else max(",;\t", key=first.count)
        if not said:
            file.seek(0)
        reader = csv.reader(file, delimiter=mark, skipinitialspace=True)
        for cells in reader:
            if any(cells):
                shown = [cell.strip() for cell in cells]
                yield (
                    reader.line_num + bool(said),
                    [_decimal(c) for c in shown] if mark == ";" else shown,
                )


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := file.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def read_table(path: Path, label: str | None = None) -> Table:
    """Read a table of numbers; its first line names the columns, unless it is all numbers.

    Args:
        path: the file.
        label: the column of classes; one called `label`, `labels` or `class` by default, if any.

    Raises:
        ValueError: a value is missing or no number, a line is of another length, or there is no
            such column; the line and the column are named.
    """
    found = lines(path)
    number, header = next(found, (0, []))
    if not header:
        raise ValueError(f"{path} cannot be read: it is empty")
    notes, rows = [], found
    if all(map(_is_number, header)):
        rows = _before((number, header), found)
        header = [f"column {k}" for k in range(1, len(header) + 1)]
        notes.append("its first line is all numbers, so its columns have no names")
    asked, label = label is not None, _label_column(path, header, label)
    index = 0 if header[0] == "" or header[0].lower().startswith("unnamed:") else None
    if index is not None:
        notes.append("the first column, which has no name, was left out")
    kept = [k for k in range(len(header)) if k != index and header[k] != label]
    if not kept:
        raise ValueError(f"{path} cannot be read: it has no columns of numbers")
    numbers, classes, whole = array("d"), [], [True] * len(kept)
    for at, cells in rows:
        if len(cells) != len(header):
            message = f"{path} cannot be read: line {at} has {len(cells)} cells"
            raise ValueError(f"{message}, expected {len(header)}")
        numbers.extend(_number(path, at, header[k], cells[k]) for k in kept)
        whole = [each and _is_whole(cells[k]) for each, k in zip(whole, kept, strict=True)]
        if label is not None:
            classes.append(_text(path, at, label, cells[header.index(label)]))
    values = np.frombuffer(numbers).reshape(-1, len(kept))
    if not len(values):
        raise ValueError(f"{path} is empty: it has no line but the names of its columns")
    names = None if label is None else np.array(classes)
    if label is not None and names is not None and not asked and are_measures(names):
        notes.append(f"the column {label!r} gives no classes: its numbers are not whole")
        kept, whole = [*kept, header.index(label)], [*whole, False]
        values, names, label = np.column_stack([values, names.astype(np.float64)]), None, None
    if label is not None:
        notes.append(f"the column {label!r} gives the classes")
    columns = tuple(header[k] for k in kept)
    return Table(columns, values, names, tuple(notes), tuple(whole), label)


def standardised(table: Table) -> tuple[Tensor, Units]:
    """Return columns of mean 0 and standard deviation 1, float32 `[N, D]`, and what undoes it.

    A constant column becomes 0.
    """
    x = torch.from_numpy(table.values.copy())
    mean, std = x.mean(0), x.std(0, correction=0)
    std = torch.where(std > 1e-12 * mean.abs().clamp(min=1e-300), std, torch.ones_like(std))
    ends = zip(x.amin(0).tolist(), x.amax(0).tolist(), strict=True)
    whole = tuple(
        (int(low), int(high)) if each else None
        for each, (low, high) in zip(table.whole, ends, strict=True)
    )
    units = Units(table.columns, mean, std, whole, table.label or "label")
    return x.sub_(mean).div_(std).float(), units


def write_table(path: Path, columns: Sequence[str], blocks: Iterable[NDArray[Any]]) -> None:
    """Write a table that `read_table` reads, atomically; floats as short as they can be.

    Args:
        path: the file.
        columns: D names.
        blocks: of its rows `[B, D]`, of which one is held at a time.
    """
    from nets.runs.checkpoint import atomic_write

    def write(file: Any) -> None:
        for rows in chain([[columns]], (block.tolist() for block in blocks)):
            file.write("".join(",".join(map(_quoted, row)) + "\n" for row in rows).encode())

    atomic_write(path, write)


def _quoted(cell: Any) -> str:
    text = str(cell)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if set(',;"\n\t') & set(text) else text


def _label_column(path: Path, header: list[str], label: str | None) -> str | None:
    if label is not None and label not in header:
        unknown = Registry("column", dict.fromkeys(header)).unknown(label)
        raise ValueError(f"{path}: {unknown}")
    return label or next((name for name in header if name.lower() in CLASSES), None)


def _text(path: Path, line: int, column: str, cell: str) -> str:
    if not cell:
        raise ValueError(f"{path}: line {line} has no value in the column {column!r}")
    return cell


def _number(path: Path, line: int, column: str, cell: str) -> float:
    where = f"{path}: line {line} has"
    if cell.lower() in MISSING:
        message = f"{where} no value in the column {column!r}"
        raise ValueError(f"{message}: expected numbers; fill or leave out lines without")
    if cell.lower() in TRUTHS:
        return TRUTHS[cell.lower()]
    if not _is_number(cell):
        message = f"{where} {cell!r} in the column {column!r}, expected a finite number"
        raise ValueError(f"{message}; if these are classes, name the column as labels={column}")
    if abs(float(cell)) > FAR:
        raise ValueError(f"{where} {cell!r} in the column {column!r}, expected at most {FAR:g}")
    return float(cell)


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _is_whole(cell: str) -> bool:
    return cell.lstrip("+-").isdecimal() or cell.lower() in TRUTHS


def _decimal(cell: str) -> str:
    """Return a number with its comma as a point, as it stands where cells are parted by `;`."""
    changed = cell.replace(",", ".")
    return changed if cell.count(",") == 1 and _is_number(changed) else cell


def _before(first: Line, others: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from others
