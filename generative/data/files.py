"""Data in files: arrays (.npz, .npy, MNIST's idx), tables, folders of images; none runs code."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nets.counted import counted

from . import label_files
from .array_labels import labels_of
from .arrays import PICKLED, Member, open_arrays
from .dataset import Dataset, chosen
from .factors import FACTORS, factors_of
from .folders import find_pictures
from .forms import Form, form_of
from .images import ENDINGS
from .labels import NoClasses, as_classes
from .photos import SHOWN, label_file, load_folder
from .pictures import DONE, Fit, Size, Way
from .stored import IN_MEMORY, Rows, Stored, kept
from .tables import TABLES, read_table, standardised

ROWS = ("x", "images", "imgs", "x_train", "train_images", "train_x", "train_data", "data")
ROWS_TOO = (
    "image",
    "inputs",
    "samples",
    "frames",
    "observations",
    "obs",
    "pixels",
    "features",
    "arr_0",
)
OF_TESTS = ("x_test", "test_images", "test_x", "x_val", "val_images")  # where there are no others


def load_files(
    path: Path,
    *,
    size: Size | None = None,
    fit: Way = "stretch",
    labels: str | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Dataset:
    """Load an array file, a table, or a folder of images.

    Args:
        path: `.npy`, one array, perhaps with its labels beside it; `.npz`, rows under `x`,
            `images`, `x_train`, `train_images`, `data` or the like, perhaps their labels, and
            `factors` with `class_names` and `factor_names`; idx, as MNIST comes (`.gz` or not),
            with its labels beside it; `.csv` or `.tsv`, columns of numbers, which are standardised;
            or a folder of images, whose sub-folders, if all lie in some, are classes.
        size: side of the pictures, or height and width, in pixels; their own by default.
        fit: how pictures of another aspect come to that size.
        labels: where the labels are, if not where they are looked for: the column of a table, the
            member of an `.npz`, or a file.
        limit: rows at most, chosen at random and kept in order; others are not read.
        seed: of the choice.

    Returns:
        The data; constant factors are left out, the values of the others counted from 0. Rows of
        more than a gigabyte stay in their file, or a temporary one.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: it is empty, damaged, not finite, or no such file.
        TypeError: the values are neither pictures nor vectors.
    """
    if path.is_dir():
        return load_folder(path, size, fit, limit, seed, labels)
    if not path.exists():
        raise FileNotFoundError(f"no data at {path}")
    if not path.is_file():  # a pipe or a device may never end
        raise ValueError(f"{path} is no file")
    if path.suffix.lower() in TABLES:
        return _table(path, size, labels).limited(limit, seed)
    if path.suffix.lower() in ENDINGS:
        raise ValueError(
            f"{path} is one picture: expected the folder of all, such as {path.parent}"
        )
    return _arrays(path, Fit.of(size, fit), labels, limit, seed)


def files_of(path: Path, labels: str | None = None) -> list[Path]:
    """Return the files that `load_files` reads; none where there is nothing."""
    if path.is_dir():
        found = find_pictures(path)
        named = label_file(path, found, labels)
        return [*found.pictures, *([named] if named else [])]
    beside = label_files.named(path, labels) if labels is not None else label_files.of_array(path)
    return [file for file in dict.fromkeys((path, beside or path)) if file.is_file()]


def _table(path: Path, size: Size | None, labels: str | None) -> Dataset:
    if size is not None:
        raise ValueError(f"{path} is a table: its rows have no size")
    table = read_table(path, labels)
    x, units = standardised(table)
    try:
        classes, names = (
            (None, ()) if table.classes is None else as_classes(table.classes, asked=True)
        )
    except NoClasses as error:
        raise NoClasses(f"{path}: the column {table.label!r}: {error}") from None
    count = len(table.columns)
    listed = ", ".join(table.columns[:SHOWN]) + ", ..." * (count > SHOWN)
    done = f"{counted(count, 'column')}, standardised: {listed}"
    return Dataset(str(path), x, classes, names, units=units, notes=(*table.notes, done))


def _arrays(
    path: Path, fit: Fit | None, labels: str | None, limit: int | None, seed: int
) -> Dataset:
    name, found = str(path), open_arrays(path)
    members = {each: member for each, member in found.items() if not member.dtype.hasobject}
    if (found and not members) or labels in found.keys() - members.keys():
        raise ValueError(f"{name} cannot be read: {PICKLED}")
    key = _rows_of(path, members)
    member = members[key]
    if not member.shape:
        raise ValueError(f"{name}: values have shape [], expected rows")
    count = len(member)
    index = None if limit is None or limit >= count else chosen(count, limit, seed).numpy()
    x, notes = _read_rows(name, member, index, fit)
    taken = {key, "class_names", "factor_names", *FACTORS}
    classes, class_names, more = labels_of(path, members, key, labels, taken)
    varying, factor_names, unlike = factors_of(members, count)
    more += unlike
    if left := sorted(members.keys() - taken):
        more += [f"{', '.join(left)} left out: the rows are {key!r}"]
    if pickled := sorted(found.keys() - members.keys()):
        more += [f"{', '.join(pickled)} left out: pickled objects, which may run code"]
    rows = slice(None) if index is None else torch.from_numpy(index)
    return Dataset(
        name,
        x,
        None if classes is None else classes[rows],
        class_names,
        None if varying is None else varying[rows],
        factor_names,
        notes=(*notes, *more),
    )


def _rows_of(path: Path, members: Mapping[str, Member]) -> str:
    """Return the name under which an archive has its rows."""
    plain = {name.lower(): name for name in members}
    for name in (*ROWS, *ROWS_TOO, *OF_TESTS):
        if name in plain:
            return plain[name]
    if len(members) == 1:
        return next(iter(members))
    raise ValueError(
        f"{path} cannot be read: it holds {list(members)}, expected the rows as one of {list(ROWS)}"
    )


def _read_rows(
    name: str, member: Member, index: NDArray[np.int64] | None, fit: Fit | None
) -> tuple[Rows, list[str]]:
    """Read rows, or leave them in the file where they are too many; say what is made of them."""
    form = form_of(name, member.shape, member.dtype, member.blocks(index))
    one = form(np.zeros((1, *member.shape[1:]), member.dtype))
    notes = _formed(form, member.shape, one)
    count = len(member) if index is None else len(index)
    if fit is not None:
        if one.ndim != 4:
            raise ValueError(f"{name} holds vectors of {one.numel()} numbers: they have no size")
        notes += [
            f"{one.shape[2]}x{one.shape[3]} pixels (height x width), {DONE[fit.way]} to {fit}"
        ]
        one = fit(one.to("meta")) if one.numel() else one
    shape = (count, *one.shape[1:])
    size = one.numel() * one.element_size() * count
    place = member.place() if fit is None and size > IN_MEMORY else None
    if place is not None:
        rows = None if index is None else torch.from_numpy(index)
        return Stored(place, form, index=rows), notes
    blocks = map(form, member.blocks(index))
    return kept(name, blocks if fit is None else map(fit, blocks), shape, one.dtype), notes


def _formed(form: Form, shape: tuple[int, ...], one: Tensor) -> list[str]:
    """Say what is made of the rows of an array, of which `one` is one."""
    notes = [form.scale.note] if form.scale is not None and form.scale.note else []
    if form.layout == "alpha":
        notes.append("of four channels the last was taken for opacity, and shown on white")
    elif form.layout == "grey" and one.shape[3] in (3, 4):
        height, width = one.shape[2:]
        notes.append(f"taken for grey pictures of {height}x{width} pixels, one in each row")
    elif one.ndim == 4 and (one.shape[1] not in (1, 3) or _either_way(shape)):
        channels, height, width = one.shape[1:]
        where = "last" if form.layout == "last" else "first"
        notes.append(
            f"taken for {height}x{width} pixels of {counted(channels, 'channel')}, "
            f"which come{'s' * (channels == 1)} {where}"
        )
    return notes


def _either_way(shape: tuple[int, ...]) -> bool:
    """Whether channels may as well be the other end of an array's axes."""
    return shape[1] in (1, 3) and shape[-1] in (1, 3) and len(shape) == 4
