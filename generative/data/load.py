"""Data sets by name: `load_dataset("sprites")`, `load_dataset("frames:dreamgym/Catch-v0")`."""

import sys
from collections.abc import Callable, Container
from pathlib import Path

from nets.registry import Registry

from . import frames
from .dataset import Dataset
from .files import load_files
from .frames import load_frames, load_observations
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
PATH = "a path to .npz, .npy, idx or a folder of images"


def load_dataset(
    spec: str,
    *,
    size: int | None = None,
    limit: int | None = None,
    seed: int = 0,
    trust: bool = False,
) -> Dataset:
    """Load, draw or collect the data that `spec` names.

    - `sprites`, `sprites:shape,scale,x=::2`: figures with exact factors (64 pixels by default);
    - `frames:ENV_ID`, `frames:ENV_ID@RUN`: pictures of an environment, played at random or by the
      agent of a run folder; `observations:...` takes its picture observations instead;
    - `digits`: 1,797 handwritten digits of 8x8 pixels (scikit-learn's);
    - `ring`, `ring:K`: points of 8 or K Gaussians on a circle;
    - a path to a `.npz`, `.npy` or idx file, or to a folder of images.

    Args:
        spec: as above.
        size: side of the pictures in pixels; their own by default.
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
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}: expected at least 1 row")
    if is_path(spec):
        return load_files(Path(spec), size=size, limit=limit, seed=seed)
    name, _, rest = spec.partition(":")
    try:
        load = LOADERS[name]
    except ValueError as error:
        raise ValueError(f"{error} (or {PATH}; {spec!r} does not exist)") from None
    options = {"trust": trust} if name in OF_WORLDS else {}
    return load(rest, size=size, limit=limit, seed=seed, **options)


def foreign(spec: str, imported: Container[str] = sys.modules) -> str | None:
    """Return the environment that data are of, if making it would run unknown code.

    Args:
        spec: what a file names.
        imported: modules that the program itself has chosen to import.
    """
    name, _, rest = spec.partition(":")
    return frames.foreign(rest, imported) if name in OF_WORLDS else None


def is_path(spec: str) -> bool:
    """Whether `spec` names a file: it exists, or looks like no name."""
    if spec.partition(":")[0] in LOADERS:
        return False
    path = Path(spec)
    return path.exists() or (":" not in spec and ("/" in spec or path.suffix != ""))
