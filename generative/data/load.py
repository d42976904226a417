"""Data sets by name: `load_dataset("sprites")`, `load_dataset("frames:dreamgym/Catch-v0")`."""

import os
import sys
from collections.abc import Callable, Container
from dataclasses import replace
from pathlib import Path
from typing import Any

from nets.arguments import checked
from nets.kinds import Seed
from nets.registry import Registry
from nets.warned import warn

from .actors import foreign_world
from .dataset import DataNote, Dataset
from .files import load_files
from .frames import load_frames, load_observations
from .pictures import Fit, Size, Way, resize
from .small import digits, ring
from .sprites import sprites

LOADERS: Registry[Callable[..., Dataset]] = Registry(
    "data set",
    {
        "sprites": sprites,
        "frames": load_frames,
        "observations": load_observations,
        "digits": digits,
        "ring": ring,
    },
)
OF_WORLDS = ("frames", "observations")
PATH = "a path to .npz, .npy, .csv, idx or a folder of images"


@checked
def load_dataset(
    spec: str | Path,
    *,
    size: Size | None = None,
    fit: Way = "stretch",
    labels: str | None = None,
    limit: int | None = None,
    seed: Seed = 0,
    trust: bool = False,
) -> Dataset:
    """Load, draw or collect the data that `spec` names.

    - `sprites`, `sprites:shape,scale,x=::2`: figures with exact factors (64 pixels by default);
    - `frames:ENV_ID`, `frames:ENV_ID@RUN`: pictures of an environment, played at random or by the
      agent of a run folder; `observations:...` takes its picture observations instead;
    - `digits`: 1,797 handwritten digits of 8x8 pixels (scikit-learn's);
    - `ring`, `ring:K`: points of 8 or K Gaussians on a circle;
    - a path to a `.npz`, `.npy`, `.csv` or idx file, or to a folder of images. A name comes before
      a file or folder that is called the same: write `./digits` for that.

    Args:
        spec: as above.
        size: side of the pictures, or height and width, in pixels; their own by default.
        fit: how pictures of another aspect come to that size: `"stretch"` scales each side on its
            own, `"crop"` takes the middle, `"pad"` puts black beside.
        labels: of a path: the column of a table, the member of an `.npz`, or a file with labels.
        limit: rows at most, chosen at random; for `frames`, `observations` and `ring`, how many
            are made.
        seed: of every random choice.
        trust: of `frames:ENV_ID@RUN`, whether the run's own environment may be of any module.

    Raises:
        ValueError: the name is unknown, the nearest is suggested; the data are empty, of mixed
            sizes, or not finite, and the file is named; or `limit` is below 1.
        TypeError: the data have a type that is neither pictures nor vectors.
        FileNotFoundError: there is no such file.
    """
    spec = os.fspath(spec)
    if not spec.strip():
        raise ValueError(f"the data are {spec!r}: expected a name, or {PATH}")
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}: expected at least 1 row")
    if is_path(spec):
        rows = load_files(Path(spec), size=size, fit=fit, labels=labels, limit=limit, seed=seed)
        return _noted(rows, _idle(fit, size) if not Path(spec).is_dir() else None)
    if labels is not None:
        raise ValueError(f"labels is {labels!r}, but {spec} is no file: its classes are its own")
    name, _, rest = spec.partition(":")
    try:
        load = LOADERS[name]
    except ValueError as error:
        raise ValueError(f"{error} (or {PATH}; {spec!r} does not exist)") from None
    options = {"trust": trust} if name in OF_WORLDS else {}
    rows = _named(load, rest, size, fit, limit=limit, seed=seed, **options)
    there = shadowed(spec)
    note = f"{spec!r} is the data set of that name; for what lies here, write ./{there}"
    return _noted(_noted(rows, _idle(fit, size)), None if there is None else note)


def _idle(fit: Way, size: Size | None) -> str | None:
    """Return what to say of a fit without a size; None where there is nothing to be said."""
    if fit == "stretch" or size is not None:
        return None
    return f"fit is {fit!r}, which changes nothing without a size"


def _noted(rows: Dataset, note: str | None) -> Dataset:
    """Say something of data, now and in their notes."""
    if note is None:
        return rows
    warn(note, DataNote)
    return replace(rows, notes=(*rows.notes, note))


def _named(
    load: Callable[..., Dataset], rest: str, size: Size | None, fit: Way, **options: Any
) -> Dataset:
    """Load a data set by its name, its pictures brought to a size."""
    square = size if not isinstance(size, tuple) or size[0] != size[1] else size[0]
    if isinstance(square, tuple) or (fit != "stretch" and square is not None):
        return resize(load(rest, **options), Fit.of(size, fit))
    return load(rest, size=square, **options)


def foreign(spec: str, imported: Container[str] = sys.modules) -> str | None:
    """Return the environment that data are of, if making it would run unknown code.

    Args:
        spec: what a file names.
        imported: modules that the program itself has chosen to import.
    """
    name, _, rest = spec.partition(":")
    return foreign_world(rest, imported) if name in OF_WORLDS else None


def shadowed(spec: str) -> Path | None:
    """Return the file or folder that is called as the data set that `spec` names, if any."""
    path = Path(spec)
    return path if not is_path(spec) and path.exists() else None


def is_path(spec: str) -> bool:
    """Whether `spec` names a file: it exists, or looks like no name."""
    if spec.partition(":")[0] in LOADERS:
        return False
    path = Path(spec)
    return path.exists() or (":" not in spec and ("/" in spec or path.suffix != ""))
