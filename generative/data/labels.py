"""Labels in the forms that people keep them in, as classes counted from 0."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nets.near import shortened

from .arrays import open_arrays, readable
from .tables import lines

Array = NDArray[Any]
Classes = tuple[Tensor, tuple[str, ...]]
"""Int64 `[N]` in 0..K-1, and the K names."""

MOST_CLASSES = 100_000
TEXTS = (".csv", ".tsv", ".txt", ".json", ".jsonl")
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,16})(\.0*)?")  # 007 is a name
OF_ROWS: Mapping[str, tuple[str, ...]] = {
    "x": ("labels", "y", "targets", "label", "target", "classes"),
    "images": ("labels", "y"),
    "imgs": ("labels", "y"),
    "data": ("labels", "targets", "y", "target"),
    "samples": ("labels", "y"),
    "x_train": ("y_train", "labels_train"),
    "train_images": ("train_labels",),
    "train_x": ("train_y", "train_labels"),
    "train_data": ("train_labels",),
    "x_test": ("y_test",),
    "test_x": ("test_y",),
    "x_val": ("y_val",),
    "test_images": ("test_labels",),
    "val_images": ("val_labels",),
}
"""Names that people give to rows, in any case, and then to their labels."""
FILES = ("file_name", "filename", "file", "image", "img", "path", "name", "id", "image_id")
NAMES = ("label", "labels", "class", "target", "category", "y", "species")


class NoClasses(ValueError):
    """What was found beside rows are not their classes; the message says why."""


def as_classes(values: Array, class_names: tuple[str, ...] = ()) -> Classes:
    """Return labels as classes.

    Whole numbers from 0 to below 100,000 are what they are; of others, and of texts, those that
    occur are counted in their order. `[N, 1]` is `[N]`, and `[N, K]` with one 1 a row is its place.

    Args:
        values: the labels, one a row.
        class_names: the names of 0..K-1, if they are known.

    Raises:
        NoClasses: they are several a row, numbers that are not whole, or more than 100,000 classes.
    """
    shape = list(values.shape)
    if values.ndim == 2 and values.shape[1] > 1:
        if not (np.isin(values, (0, 1)).all() and (values.sum(1) == 1).all()):
            raise NoClasses(f"labels have shape {shape}, expected one a row, or one-hot")
        values = np.pad(values.argmax(1), (0, 1), constant_values=values.shape[1] - 1)
        found, names = as_classes(
            values, class_names
        )  # the last class exists, though none is of it
        return found[:-1], names
    values = values.reshape(-1) if values.ndim == 2 else values
    if values.ndim != 1:
        raise NoClasses(f"labels have shape {shape}, expected one a row")
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind == "U":
        return _counted(_as_numbers(values), class_names)
    if values.dtype.kind not in "buif":
        raise NoClasses(f"labels are {values.dtype}, expected whole numbers or texts")
    if values.dtype.kind == "f" and not (np.abs(values) < 2**53).all():
        raise NoClasses("labels are not whole numbers")
    if values.dtype.kind == "f" and not (values == np.rint(values)).all():
        raise NoClasses("labels are not whole numbers")
    beyond = values.dtype == np.uint64 and len(values) and values.max() > np.iinfo(np.int64).max
    return _counted(values if beyond else values.astype(np.int64), class_names)


def _as_numbers(texts: Array) -> Array:
    """Return texts that are all whole numbers, perhaps with `.0` behind, as those."""
    plain = all(WHOLE.fullmatch(text) for text in texts.tolist())
    return np.array([int(text.partition(".")[0]) for text in texts.tolist()]) if plain else texts


def _counted(values: Array, class_names: tuple[str, ...]) -> Classes:
    numbers = values.dtype.kind == "i"
    if class_names and numbers:
        return torch.from_numpy(values), class_names
    if numbers and len(values) and values.min() == 0 and values.max() < MOST_CLASSES:
        return torch.from_numpy(values), tuple(map(str, range(int(values.max()) + 1)))
    found, index = np.unique(values, return_inverse=True)
    if len(found) > MOST_CLASSES:
        raise NoClasses(f"labels are {len(found):,} classes, expected at most {MOST_CLASSES:,}")
    return torch.from_numpy(index.astype(np.int64)), tuple(map(str, found.tolist()))


def beside(path: Path) -> Path | None:
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


def read_list(file: Path) -> Array:
    """Read labels that stand in the order of the rows: an array, or a text of one a line.

    Raises:
        ValueError: the file cannot be read, or has several columns.
    """
    if file.suffix.lower() not in TEXTS:
        members = open_arrays(file)
        if len(members) != 1:
            raise ValueError(f"{file} holds {sorted(members)}, expected the labels alone")
        return next(iter(members.values())).read()
    rows = _cells(file)
    if rows and len(rows[0]) != 1:
        raise ValueError(f"{file} has {len(rows[0])} columns, expected one label a line")
    texts = [cells[0] for cells in rows]
    return np.array(texts[1:] if texts and texts[0].lower() in NAMES else texts)


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

    A name may be a path from the folder, or without the folders, or without the ending.

    Raises:
        NoClasses: a file has none.
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
    header = [cell.lower() for cell in rows[0]]
    name = next((header.index(known) for known in FILES if known in header), 0)
    rest = [k for k in range(len(header)) if k != name]
    called = [k for known in NAMES for k in rest if header[k] == known]
    label = next(iter(called), rest[0] if len(rest) == 1 else None)
    if label is None:
        raise NoClasses(f"{file} has the columns {header}, expected one called 'label'")
    known = {c[name]: c[label] for c in rows if len(c) == len(header) and c[label]}
    names = [_names(each, folder) for each in files]
    often = Counter(word for words in names for word in words)
    labels = [
        next((known[word] for word in words if word in known and often[word] == 1), None)
        for words in names
    ]
    lost = [each for each, found in zip(files, labels, strict=True) if found is None]
    if lost:
        message = f"{file} names no label of {len(lost):,} of {len(files):,} pictures"
        raise NoClasses(f"{message}, such as {lost[0].relative_to(folder)}")
    return np.array(labels)


def _require(file: Path) -> None:
    if not file.is_file():
        raise ValueError(f"there are no labels at {file}")


def _cells(file: Path) -> list[list[str]]:
    """Read a list of labels as the lines of a table."""
    if not file.suffix.lower().startswith(".json"):
        return [cells for _, cells in lines(file)]
    with readable(file):
        text = file.read_text("utf-8-sig")
        many = file.suffix.lower() == ".jsonl"
        found = list(map(json.loads, text.splitlines())) if many else json.loads(text)
        if isinstance(found, dict) and isinstance(found.get("labels"), list):
            found = found["labels"]  # StyleGAN's
        rows = list(found.items()) if isinstance(found, dict) else found
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
            header = list(rows[0])
            rows = [header, *([row.get(name, "") for name in header] for row in rows)]
        if not isinstance(rows, list):
            raise ValueError("expected a list of labels, or names and their labels")
        return [
            [_cell(c) for c in (row if isinstance(row, list | tuple) else [row])] for row in rows
        ]


def _cell(value: Any) -> str:
    """Return a name or a label of JSON as text."""
    if isinstance(value, dict | list):
        raise ValueError(f"{shortened(value)} is no label: expected a text or a number")
    return "" if value is None else str(value)


def _names(file: Path, folder: Path) -> list[str]:
    """Return what a list may call a file."""
    path = file.relative_to(folder)
    words = [path.as_posix(), f"{folder.name}/{path.as_posix()}", path.with_suffix("").as_posix()]
    return list(dict.fromkeys([*words, file.name, file.stem]))
