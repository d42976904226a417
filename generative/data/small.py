"""Small data sets: a ring of Gaussians, handwritten digits."""

import math

import numpy as np
import torch

from nets.process.memory import within_memory

from .dataset import Dataset, Modes
from .pictures import Fit, resize

RING_MODES, RING_RADIUS, RING_STD = 8, 2.0, 0.05
BYTES = 24  # of a point while it is drawn: two numbers and a label


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
        ValueError: `modes` is no number above 1, or `size` is given, or no memory holds
            the points.
    """
    if size is not None:
        raise ValueError(f"size is {size}, but the ring's points have none")
    if modes and not (modes.isdecimal() and int(modes) > 1):
        raise ValueError(f"ring:{modes}: expected the number of Gaussians, at least 2")
    count, rows = int(modes or RING_MODES), 10_000 if limit is None else limit
    within_memory(f"limit is {rows}", rows, BYTES)
    rng = np.random.default_rng(seed)
    label = rng.integers(count, size=rows)
    centres = ring_means(count)
    x = centres[label] + RING_STD * rng.standard_normal((rows, 2))
    return Dataset(
        name=f"ring:{modes}" if modes else "ring",
        x=torch.from_numpy(x.astype(np.float32)),
        labels=torch.from_numpy(label),
        class_names=tuple(map(str, range(count))),
        modes=Modes(torch.from_numpy(centres).float(), RING_STD),
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
    return resize(data.limited(limit, seed), Fit.of(size))
