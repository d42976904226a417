"""Labels of the rows of an array file: in it, beside it, or where somebody says."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from nets.registry import Registry

from . import label_files
from .arrays import Member, open_idx
from .factors import NoNames, names_of
from .labels import MOST_CLASSES, OF_ROWS, NoClasses, as_classes

Array = NDArray[Any]
Names = tuple[str, ...]


def labels_of(
    path: Path, members: Mapping[str, Member], key: str, asked: str | None, taken: set[str]
) -> tuple[Tensor | None, Names, list[str]]:
    """Return the classes of all rows, their names, and what is to be said of them.

    Args:
        path: the file.
        members: what it holds.
        key: under which name it holds the rows.
        asked: the member or the file that has the labels, where somebody says so. What lies there
            unasked and gives no classes is passed over, and said.
        taken: names of members that are no rows; that of the labels is added.

    Raises:
        ValueError: what is asked for does not exist, or gives no classes of the rows.
    """
    count, plain = len(members[key]), {name.lower(): name for name in members}
    known = chain(OF_ROWS.get(key.lower(), ()), OF_ROWS["x"], ("y_train",))
    read: Callable[[], Array]
    if asked is not None and asked in members:
        source, read = asked, members[asked].read
    elif asked is not None:
        source, place = asked, label_files.named(path, asked)
        if len(members) > 1 and not (place.suffix or place.is_file()):
            raise ValueError(f"{path}: {Registry('member', members).unknown(asked)}")
        read = partial(label_files.of_rows, place, count)
    elif found := next((plain[name] for name in known if name in plain), None):
        source, read = found, members[found].read
    elif key == "arr_0" and "arr_1" in members and len(members["arr_1"]) == count:
        source, read = "arr_1", members["arr_1"].read
    elif (file := label_files.of_array(path)) is not None:
        source = file.name
        idx = path.suffix.lower() != ".npy"
        read = open_idx(file).read if idx else partial(label_files.of_rows, file, count)
    else:
        return None, (), []
    taken.add(source)
    try:
        classes, names, notes = _classes(read(), members, count, asked is not None)
    except ValueError as error:
        if asked is None:  # nobody counts on what lies there
            return None, (), [f"no classes from {source}: {error}"]
        raise ValueError(f"{path}: {source}: {error}") from None
    return classes, names, [f"classes from {source}", *notes]


def _classes(
    values: Array, members: Mapping[str, Member], count: int, asked: bool
) -> tuple[Tensor, Names, list[str]]:
    """Return labels as classes, by the names that lie beside them if those are theirs."""
    if values.ndim and len(values) != count:
        raise NoClasses(f"{len(values):,} labels for {count:,} rows")
    try:
        names = names_of(members, "class_names", MOST_CLASSES)
        classes, found = as_classes(values, names, asked=asked)
        if names and len(classes) and not 0 <= classes.min() <= classes.max() < len(found):
            span = f"from {classes.min()} to {classes.max()}"
            raise NoNames(f"labels range {span}, expected 0..{len(names) - 1}")
    except NoNames as error:
        return *as_classes(values, asked=asked), [f"class_names left out: {error}"]
    return classes, found, []
