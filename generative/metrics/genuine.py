"""Whether samples are among the data, where these are all there are, SPEC G-GAN-10.

A grid of figures or the positions of a small game can be listed. A sample that is none of them is
wrong, however sure a classifier is of it.
"""

from typing import NamedTuple

import torch
from torch import Tensor

ROWS = 1024  # of a matrix of distances that are in memory at once
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
    radius = _nearest(some, data, apart=SAME)[0].median().item() / 2.0
    if radius == torch.inf:
        raise ValueError(f"all {len(data)} data are equal: expected different ones")
    distance, row = _nearest(samples, data)
    met = row[distance < radius]
    different = len(data[met].flatten(1).unique(dim=0))
    return Genuine(len(met) / len(samples), radius, different)


def _nearest(x: Tensor, data: Tensor, apart: float = -1.0) -> tuple[Tensor, Tensor]:
    """Return distances `[M]` to the nearest data that are more than `apart` away, and their rows.

    Products of matrices are fast and lose small distances; in float64 fewer than matter here.
    """
    x = _unit(x)
    best, index = x.new_full((len(x),), torch.inf), x.new_zeros(len(x), dtype=torch.int64)
    for start in range(0, len(data), ROWS):
        part = _unit(data[start : start + ROWS])
        distances = torch.cdist(x, part, compute_mode="use_mm_for_euclid_dist")  # [M, ROWS]
        distance, nearest = distances.masked_fill_(distances <= apart, torch.inf).min(dim=1)
        closer = distance < best
        best, index = torch.where(closer, distance, best), index.where(~closer, nearest + start)
    return best, index


def _unit(x: Tensor) -> Tensor:
    """Return rows `[N, D]` in float64, uint8 scaled to [0, 1]."""
    return x.flatten(1).double() / (255.0 if x.dtype == torch.uint8 else 1.0)
