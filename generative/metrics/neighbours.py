"""What the nearest neighbours say: precision, recall, and whether a model copies its data.

As in `generative.metrics.distances`, rows are coordinates or features, `[N, D]`.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from nets.inputs import explained

from ..data.stored import Rows

ROWS = 1024  # of a matrix of distances that are in memory at once
ROUNDING = 1e-12  # of ‖x‖² + ‖y‖²: squared distances below are 0


class PrecisionRecall(NamedTuple):
    """Two shares in [0, 1]."""

    precision: float
    """Of the samples, those that lie where data are: quality."""
    recall: float
    """Of the data, those that lie where samples are: variety."""


@explained
def precision_recall(data: Tensor, samples: Tensor, *, k: int = 3) -> PrecisionRecall:
    """Return improved precision and recall, Kynkäänniemi et al. (2019), curriculum G-VAE-11.

    Data are where a ball around a datum, as wide as the way to its k-th neighbour, says so;
    samples likewise. Precision is the share of samples where data are, recall the share of data
    where samples are. Two samples of one distribution do not reach 1 either: compare with those.

    Args:
        data: `[N, D]`.
        samples: `[M, D]`; as many as data, or the balls differ in size.
        k: neighbours, at least 1.

    Raises:
        ValueError: there are not more than k rows.
    """
    if min(len(data), len(samples)) <= k:
        rows = f"{len(data)} and {len(samples)} rows"
        raise ValueError(f"{rows} have no {k} neighbours each: expected more rows")
    return PrecisionRecall(_covered(samples, data, k), _covered(data, samples, k))


@explained
def nearest_neighbours(
    samples: Tensor, data: Rows, *, apart: float = -1.0
) -> tuple[Tensor, Tensor]:
    """Find each sample's nearest datum, curriculum G-GAN-10: at distance 0 it is a copy.

    Args:
        samples: `[M, ...]`, pictures or vectors; uint8 pictures count as in [0, 1].
        data: `[N, ...]`, likewise; looked at part by part.
        apart: data that are not further away than this do not count; by default all do.

    Returns:
        Euclidean distances `[M]`, ∞ where no datum counts, and the rows of `data`, `[M]` int64.
    """
    distances, rows = [], []
    for part in samples.split(ROWS):
        x = _unit(part)
        best, index = x.new_full((len(x),), torch.inf), x.new_zeros(len(x), dtype=torch.int64)
        for start in range(0, len(data), ROWS):
            between = _distances(x, _unit(data[start : start + ROWS]))
            distance, nearest = between.masked_fill_(between <= apart, torch.inf).min(dim=1)
            closer = distance < best
            best, index = torch.where(closer, distance, best), index.where(~closer, nearest + start)
        distances.append(best)
        rows.append(index)
    return torch.cat(distances), torch.cat(rows)


def _unit(x: Tensor) -> Tensor:
    """Return rows `[N, D]` in float64, uint8 scaled to [0, 1]."""
    return x.flatten(1).double() / (255.0 if x.dtype == torch.uint8 else 1.0)


def _covered(points: Tensor, manifold: Tensor, k: int) -> float:
    """Return the share of `points` within the balls of `manifold`."""
    parts = manifold.split(ROWS)
    # the nearest is the row itself, at distance 0
    radii = torch.cat([_distances(part, manifold).kthvalue(k + 1).values for part in parts])
    inside = sum(
        int((_distances(part, manifold) <= radii).any(dim=1).sum()) for part in points.split(ROWS)
    )
    return inside / len(points)


def _distances(x: Tensor, y: Tensor) -> Tensor:
    """Return ‖x_i − y_j‖ `[N, M]` in float64 as √(‖x_i‖² + ‖y_j‖² − 2 x_i·y_j), 0 for equal rows.

    Many times as fast as differences; what rounding leaves of small distances is far below what
    float32 rows can tell apart.
    """
    x, y = x.double(), y.double()
    norms = x.square().sum(1, keepdim=True) + y.square().sum(1)  # [N, M]
    squared = torch.addmm(norms, x, y.mT, alpha=-2.0)
    return squared.masked_fill_(squared <= ROUNDING * norms, 0.0).sqrt_()
