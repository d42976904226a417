"""Data sets by name: `load_dataset("sprites")`, `load_dataset("frames:dreamgym/Catch-v0")`."""

import importlib
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from nets.registry import Registry

from .dataset import Dataset

__all__ = ["Dataset", "digits", "load_dataset", "ring"]

Loader = Callable[..., Dataset]

RING_MODES, RING_RADIUS, RING_STD = 8, 2.0, 0.05
PATH = "a path to .npz, .npy, idx or a folder of images"


def load_dataset(
    spec: str, *, size: int | None = None, limit: int | None = None, seed: int = 0
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

    Raises:
        ValueError: the name is unknown, the nearest is suggested; the data are empty, of mixed
            sizes, or not finite, and the file is named; or `limit` is below 1.
        TypeError: the data have a type that is neither pictures nor vectors.
        FileNotFoundError: there is no such file.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}: expected at least 1 row")
    if _is_path(spec):
        load: Loader = _lazy("data_files", "load_files")
        return load(Path(spec), size=size, limit=limit, seed=seed)
    name, _, rest = spec.partition(":")
    try:
        load = _LOADERS[name]
    except ValueError as error:
        raise ValueError(f"{error} (or {PATH}; {spec!r} does not exist)") from None
    return load(rest, size=size, limit=limit, seed=seed)


def ring(
    modes: str = "", *, size: int | None = None, limit: int | None = None, seed: int = 0
) -> Dataset:
    """Draw points from a mixture of Gaussians on a circle, the usual test of mode collapse.

    The k-th of K means is 2(cos 2πk/K, sin 2πk/K), the standard deviation 0.05.

    Args:
        modes: K, 8 if empty.
        size: must be None: points have no size.
        limit: how many points; 10,000 by default.
        seed: of the draw.

    Returns:
        Points float32 `[N, 2]`; which Gaussian drew each as the label.

    Raises:
        ValueError: `modes` is no number above 1, or `size` is given.
    """
    if size is not None:
        raise ValueError(f"size is {size}, but the ring's points have none")
    if modes and not (modes.isdecimal() and int(modes) > 1):
        raise ValueError(f"ring:{modes}: expected the number of Gaussians, at least 2")
    count, rows = int(modes or RING_MODES), 10_000 if limit is None else limit
    rng = np.random.default_rng(seed)
    label = rng.integers(count, size=rows)
    x = ring_means(count)[label] + RING_STD * rng.standard_normal((rows, 2))
    return Dataset(
        name=f"ring:{modes}" if modes else "ring",
        x=torch.from_numpy(x.astype(np.float32)),
        labels=torch.from_numpy(label),
        class_names=tuple(map(str, range(count))),
    )


def ring_means(modes: int = RING_MODES) -> np.ndarray:
    """Return the centres of the ring's Gaussians, `[K, 2]`."""
    angle = 2 * math.pi * np.arange(modes) / modes
    return RING_RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def digits(
    rest: str = "", *, size: int | None = None, limit: int | None = None, seed: int = 0
) -> Dataset:
    """Load scikit-learn's handwritten digits: 1,797 pictures of 8x8 pixels in 17 greys.

    Returns:
        Pictures uint8 `[N, 1, 8, 8]` (or `size`), 0..255; the digit as the label.

    Raises:
        ValueError: something follows the name.
    """
    from sklearn.datasets import load_digits

    from .pictures import resize

    if rest:
        raise ValueError(f"digits:{rest}: nothing can follow 'digits'")
    found = load_digits()
    pictures = torch.from_numpy(np.round(found.images * (255 / 16)).astype(np.uint8))[:, None]
    data = Dataset(
        name="digits",
        x=pictures,
        labels=torch.from_numpy(found.target.astype(np.int64)),
        class_names=tuple(map(str, found.target_names)),
    )
    return resize(data.limited(limit, seed), size)


def _lazy(module: str, function: str) -> Loader:
    """Return a loader whose module is imported at the first call."""

    def load(*args: object, **settings: object) -> Dataset:
        return getattr(importlib.import_module(f".{module}", __package__), function)(
            *args, **settings
        )

    return load


_LOADERS: Registry[Loader] = Registry(
    "data set",
    {
        "sprites": _lazy("sprites", "sprites"),
        "frames": _lazy("data_frames", "load_frames"),
        "observations": _lazy("data_frames", "load_observations"),
        "digits": digits,
        "ring": ring,
    },
)


def _is_path(spec: str) -> bool:
    """Whether `spec` names a file: it exists, or looks like no name."""
    if spec.partition(":")[0] in _LOADERS:
        return False
    path = Path(spec)
    return path.exists() or (":" not in spec and ("/" in spec or path.suffix != ""))
