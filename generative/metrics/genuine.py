"""Whether samples are among the data, where these are all there are, curriculum G-GAN-10.

A grid of figures or the positions of a small game can be listed. A sample that is none of them is
wrong, however sure a classifier is of it.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .neighbours import nearest_neighbours

SPACED_ROWS = 1000  # whose neighbours are looked for
SAME = 1e-4  # the distance up to which data are copies


class Genuine(NamedTuple):
    """Samples held against all the data there are."""

    share: float
    """Share of the samples that are among the data: nearer to one than `radius`."""
    radius: float
    """Half the way from a datum to the next different one, the median over data."""
    different: int
    """Data that the samples are, copies counted once."""


def genuine(samples: Tensor, data: Tensor) -> Genuine:
    """Count the samples that are among the data: of noise none, of the data themselves all.

    Args:
        samples: `[M, ...]`, pictures in [0, 1] or vectors.
        data: `[N, ...]`, all there are; uint8 pictures too, which count as in [0, 1].

    Raises:
        ValueError: all data are equal.
    """
    some = data[:: max(1, len(data) // SPACED_ROWS)][:SPACED_ROWS]
    radius = nearest_neighbours(some, data, apart=SAME)[0].median().item() / 2.0
    if radius == torch.inf:
        raise ValueError(f"all {len(data)} data are equal: expected different ones")
    distance, row = nearest_neighbours(samples, data)
    met = row[distance < radius]
    different = len(data[met].flatten(1).unique(dim=0))
    return Genuine(len(met) / len(samples), radius, different)
