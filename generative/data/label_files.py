"""Labels that stand in a file of their own: in the order of the rows, or beside names of files."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nets.near import shortened

from .arrays import open_arrays, readable
from .labels import OF_ROWS, NoClasses
from .tables import TABLES, lines

Array = NDArray[Any]
Cells = list[list[str]]

TEXTS = (".csv", ".tsv", ".txt", ".json", ".jsonl")
FILES = ("file_name", "filename", "file", "image", "img", "path", "name", "id", "image_id")
NAMES = ("label", "labels", "class", "target", "category", "y", "species")


def of_array(path: Path) -> Path | None:
    """Return the file of labels that lies beside an array file, if any."""
    ending = path.suffix.lower()
    if ending == ".npy":
        return _beside(path)
    if ending in (".npz", *TABLES) or "idx" not in path.name.lower():
        return None
    place = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    return place if place != path and place.is_file() else None


def named(data: Path, labels: str) -> Path:
    """Return the file of labels that is asked for: beside the data, or from where one is."""
    folder = data if data.is_dir() else data.parent
    return next((each for each in (folder / labels, Path(labels)) if each.is_file()), Path(labels))


def read_list(file: Path) -> Array:
    """Read labels that stand in the order of the rows: an array, or a text of one a line.

    Of several columns it is the one that is called as labels are, or what stands behind the
    index that pandas writes.

    Raises:
        ValueError: the file cannot be read, or has several columns.
    """
    if file.suffix.lower() not in TEXTS:
        members = open_arrays(file)
        if len(members) != 1:
            raise ValueError(f"{file} holds {sorted(members)}, expected the labels alone")
        return next(iter(members.values())).read()
    rows = _cells(file)
    header = [cell.lower() for cell in rows[0]] if rows else [""]
    called = [k for known in NAMES for k, cell in enumerate(header) if cell == known]
    if not called and len(header) == 2 and not header[0]:
        called = [1]
    if not called and len(header) != 1:
        raise ValueError(f"{file} has {len(header)} columns, expected one label a line")
    column, first = (called[0], 1) if called else (0, 0)
    return np.array([cells[column] for cells in rows[first:] if column < len(cells)])


def of_rows(file: Path, count: int) -> Array:
    """Read the labels of `count` rows.

    Raises:
        ValueError: there are not as many, or the file cannot be read.
    """
    _require(file)
    found = read_list(file)
    if len(found) != count:
        raise ValueError(f"{file} holds {len(found):,} labels for {count:,} rows")
    return found


def of_files(file: Path, files: Sequence[Path], folder: Path) -> Array:
    """Read the labels of files from a list in their order, or a table of names and labels.

    A name may be a path from the folder, or from elsewhere, or without the folders, or without the
    ending, in letters of another case where that tells no two apart.

    Raises:
        NoClasses: a file has none, or several, or these are no labels.
        ValueError: the list cannot be read.
    """
    _require(file)
    if file.suffix.lower() not in TEXTS:
        return of_rows(file, len(files))
    rows = _cells(file)
    if file.suffix.lower() == ".txt" and all(len(cells) == 1 for cells in rows):
        rows = [cells[0].split() for cells in rows]  # parted by blanks
    if all(len(cells) == 1 for cells in rows):
        return of_rows(file, len(files))
    names = [_names(each, folder) for each in files]
    often = Counter(word for words in names for word in words)
    known = _by_name(_pairs(file, rows, often))
    own = [[w for w in words if w == words[0] or often[w] == 1] for words in names]
    labels = [next((known[w] for w in words if w in known), set[str]()) for words in own]
    for each, found in zip(files, labels, strict=True):
        if len(found) > 1:
            listed = " and ".join(map(repr, sorted(found)))
            raise NoClasses(f"{file} gives {each.relative_to(folder)} the labels {listed}")
    lost = [each for each, found in zip(files, labels, strict=True) if not found]
    if lost:
        message = f"{file} names no label of {len(lost):,} of {len(files):,} pictures"
        raise NoClasses(f"{message}, such as {lost[0].relative_to(folder)}")
    return np.array([next(iter(found)) for found in labels])


def _pairs(file: Path, rows: Cells, wanted: Counter[str]) -> Iterator[tuple[str, str]]:
    """Yield names and labels of a table, whose labels may be one-hot, a column for each class.

    Where no column is called as names are, that has them whose cells name most files.
    """
    header = [cell.lower() for cell in rows[0]]
    rows = [cells for cells in rows if len(cells) == len(header)]
    columns = range(len(header))
    hits = [sum(_plain(cells[k]).casefold() in wanted for cells in rows) for k in columns]
    name = next((header.index(known) for known in FILES if known in header), int(np.argmax(hits)))
    rest = [k for k in columns if k != name]
    called = [k for known in NAMES for k in rest if header[k] == known]
    label = next(iter(called), rest[0] if len(rest) == 1 else None)
    if label is not None:
        yield from ((cells[name], cells[label]) for cells in rows if cells[label])
        return
    chosen = [[k for k in rest if cells[k] in ("1", "1.0")] for cells in rows[1:]]
    zeros = [sum(cells[k] in ("0", "0.0") for k in rest) for cells in rows[1:]]
    if not all(len(ones) == 1 for ones in chosen) or set(zeros) != {len(rest) - 1}:
        raise NoClasses(f"{file} has the columns {header}, expected one called 'label'")
    for cells, (one,) in zip(rows[1:], chosen, strict=True):
        yield cells[name], rows[0][one]


def _by_name(pairs: Iterator[tuple[str, str]]) -> dict[str, set[str]]:
    """Return labels by all names: paths, and what no other is in small letters or ends in."""
    known: dict[str, set[str]] = {}
    for name, label in pairs:
        known.setdefault(_plain(name), set()).add(label)
    others = {name: _with_small_letters(_ends(name)) for name in known}
    often = Counter(other for each in others.values() for other in each)
    more = {end: known[name] for name, each in others.items() for end in each if often[end] == 1}
    return more | known


def _ends(name: str) -> list[str]:
    """Return a path, and it without its first folders."""
    parts = PurePosixPath(name).parts
    return [name, *(str(PurePosixPath(*parts[k:])) for k in range(1, len(parts)))]


def _with_small_letters(words: Sequence[str]) -> list[str]:
    """Return words in their order, and those in small letters behind them, each once."""
    return list(dict.fromkeys([*words, *(word.casefold() for word in words)]))


def _plain(name: str) -> str:
    """Return a path as this system writes it, from here."""
    return name.replace("\\", "/").removeprefix("./")


def _beside(path: Path) -> Path | None:
    """Return the file of labels that lies beside an array file and is called as its labels are.

    Beside `x.npy` these are `y.npy`, `labels.npy` and the like; beside any `a.npy` also
    `a_labels.npy`, `a-labels.csv`, ...
    """
    stem = path.stem
    known = OF_ROWS.get(stem.lower(), ())
    matched = [name.upper() if stem.isupper() else name for name in known]
    wanted = [*dict.fromkeys([*known, *matched]), f"{stem}_labels", f"{stem}-labels"]
    places = [path.with_name(name + ending) for name in wanted for ending in (".npy", *TEXTS)]
    return next((place for place in places if place != path and place.is_file()), None)


def _require(file: Path) -> None:
    if not file.is_file():
        raise ValueError(f"there are no labels at {file}")


def _cells(file: Path) -> Cells:
    """Read a list of labels as the lines of a table."""
    if not file.suffix.lower().startswith(".json"):
        return [cells for _, cells in lines(file)]
    with readable(file):
        text = file.read_text("utf-8-sig")
        many = file.suffix.lower() == ".jsonl"
        found = list(map(json.loads, text.splitlines())) if many else json.loads(text)
    try:
        return [[_cell(cell) for cell in row] for row in _rows(found)]
    except TypeError as error:
        raise NoClasses(f"{file}: {error}") from None


def _rows(found: Any) -> list[Any]:
    """Return what JSON holds as rows: of objects, of pairs, or of names by class."""
    if isinstance(found, dict) and isinstance(found.get("labels"), list):
        found = found["labels"]  # StyleGAN's
    if isinstance(found, dict):
        if found and all(_is_list_of(str, value) for value in found.values()):
            return [[name, label] for label, names in found.items() for name in names]
        if found and all(_is_list_of(int | float, value) for value in found.values()):
            width = max(map(len, found.values()))
            pairs = [[name, *value] for name, value in found.items()]
            return [["name", *range(width)], *pairs]  # one-hot
        found = list(found.items())
    if not isinstance(found, list):
        raise TypeError(f"{shortened(found)}: expected a list of labels, or names and their labels")
    if found and all(isinstance(row, dict) for row in found):
        header = list(found[0])
        return [header, *([row.get(name, "") for name in header] for row in found)]
    return [row if isinstance(row, list | tuple) else [row] for row in found]


def _is_list_of(kind: Any, value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, kind) for each in value)


def _cell(value: Any) -> str:
    """Return a name or a label of JSON as text."""
    if isinstance(value, dict | list):
        raise TypeError(f"{shortened(value)} is no label: expected a text or a number")
    return "" if value is None else str(value)


def _names(file: Path, folder: Path) -> list[str]:
    """Return what a list may call a file."""
    path = file.relative_to(folder)
    words = [path.as_posix(), f"{folder.name}/{path.as_posix()}", path.with_suffix("").as_posix()]
    return _with_small_letters([*words, file.name, file.stem])
