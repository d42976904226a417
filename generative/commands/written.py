"""Samples as files of numbers: arrays with their labels beside them, tables in their units."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.lib import format as npy
from torch import Tensor

from nets.registry import Registry
from nets.runs.checkpoint import atomic_write, fitting

from ..data.dataset import Dataset, Units
from ..data.stored import require_room
from ..data.tables import write_table
from ..model import GenerativeModel
from ..sampling import classes_in_turn, sampled


def about(data: Dataset) -> dict[str, Any]:
    """Return what of the data samples are written with, as a run records it."""
    found: dict[str, Any] = {"classes": list(data.class_names)}
    if data.units is not None:
        units = data.units._asdict()
        found["units"] = units | {name: units[name].tolist() for name in ("mean", "std")}
    return found


def units_of(record: Mapping[str, Any]) -> Units | None:
    """Return the units of the table that a run was trained on; None if it was none.

    Raises:
        CheckpointError: they are not what `about` returns.
    """
    found = record.get("units")
    if found is None:
        return None
    with fitting("config.json"):
        mean, std = (torch.tensor(found[name], dtype=torch.float64) for name in ("mean", "std"))
        ends = (each and (int(each[0]), int(each[1])) for each in found.get("whole", ()))
        columns, label = tuple(map(str, found["columns"])), str(found.get("label", "label"))
        return Units(columns, mean, std, tuple(ends), label)


def label_of(
    record: Mapping[str, Any], model: GenerativeModel, n: int, asked: str | None
) -> Tensor | None:
    """Return the classes of `n` samples: the one that is asked for, or all in turn.

    Raises:
        ValueError: there is no such class, or the model is not conditional.
    """
    if asked is None:
        return classes_in_turn(model, n)
    if not model.classes:
        raise ValueError(f"label is {asked!r}, but this {model.name} is not conditional")
    numbers = list(map(str, range(model.classes)))
    names = list(map(str, record.get("classes", numbers)))
    if asked not in names and asked not in numbers:
        raise Registry("class", dict.fromkeys(names)).unknown(asked)
    chosen = names.index(asked) if asked in names else int(asked)
    return torch.full((n,), chosen, device=model.device)


def as_array(
    path: Path, model: GenerativeModel, n: int, label: Tensor | None, units: Units | None
) -> None:
    """Write samples as `.npy`, part by part, and their classes, if any, as `..._labels.npy`."""
    kind = np.dtype(np.float32 if units is None else np.float64)
    size = n * math.prod(model.shape) * kind.itemsize
    require_room(str(path), size, path.parent, "give a smaller n, or another --out")

    def write(file: IO[bytes]) -> None:
        head = {"shape": (n, *model.shape), "fortran_order": False}
        npy.write_array_header_1_0(file, head | {"descr": npy.dtype_to_descr(kind)})
        for part in sampled(model, n, label):
            rows = part if units is None else units.restore(part)
            file.write(rows.cpu().numpy().astype(kind).tobytes())

    atomic_write(path, write)
    if label is not None:
        beside = path.with_name(f"{path.stem}_labels.npy")
        atomic_write(beside, lambda file: np.save(file, label.cpu().numpy()))


def as_table(
    path: Path,
    model: GenerativeModel,
    n: int,
    label: Tensor | None,
    units: Units | None,
    record: Mapping[str, Any],
) -> None:
    """Write samples as `.csv`: the columns of the table in its units, and the class, if any.

    Raises:
        ValueError: the samples are pictures.
    """
    if len(model.shape) != 1:
        raise ValueError(f"{path}: samples of shape {model.shape} are no rows of a table")
    columns = [f"x{k}" for k in range(model.shape[0])] if units is None else list(units.columns)
    if label is not None:
        columns = [*columns, "label" if units is None else units.label]
    names = np.array(record.get("classes") or range(model.classes), dtype=object)

    def blocks() -> Iterator[Any]:
        start = 0
        for x in sampled(model, n, label):
            rows: Any = (x if units is None else units.restore(x)).cpu().numpy().astype(object)
            for k, ends in enumerate(() if units is None else units.whole):
                rows[:, k] = rows[:, k] if ends is None else rows[:, k].astype(int)
            asked = None if label is None else label[start : start + len(rows)].cpu().numpy()
            start += len(rows)
            yield rows if asked is None else np.column_stack([rows, names[asked]])

    write_table(path, columns, blocks())
