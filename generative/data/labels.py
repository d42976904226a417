"""Labels in the forms that people keep them in, as classes counted from 0."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]
Classes = tuple[Tensor, tuple[str, ...]]
"""Int64 `[N]` in 0..K-1, and the K names."""

MOST_CLASSES = 100_000
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,16})(\.0*)?")  # 007 is a name
NUMBER = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.?[0-9]+)([eE][-+]?[0-9]+)?")
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


class NoClasses(ValueError):
    """What was found beside rows are not their classes; the message says why."""


def as_classes(values: Array, class_names: tuple[str, ...] = (), *, asked: bool = False) -> Classes:
    """Return labels as classes.

    Whole numbers from 0 to below 100,000 are what they are; of others, and of texts, those that
    occur are counted in their order. `[N, 1]` is `[N]`, and `[N, K]` with one 1 a row is its place.

    Args:
        values: the labels, one a row.
        class_names: the names of 0..K-1, if they are known.
        asked: whether somebody said that these are classes; texts of numbers that are not whole
            may then be some.

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
    if values.dtype.kind == "U" and not asked and are_measures(values):
        raise NoClasses("labels are not whole numbers")
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


def are_measures(texts: Array) -> bool:
    """Whether texts are numbers that are not all whole, and so measured rather than named."""
    words = set(texts.tolist())
    return all(map(NUMBER.fullmatch, words)) and any(float(word) % 1 for word in words)


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
