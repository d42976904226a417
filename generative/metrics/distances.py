"""Distances between a sample of data and a sample of a model, curriculum G-VAE-11.

They compare rows of features `[N, D]`: coordinates of vectors as they are, pictures by way of
`generative.metrics.features`. All is computed in float64.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from nets.inputs import explained

ROWS = 1024  # of a matrix of distances that are in memory at once


@explained
def gaussian_frechet_distance(
    mean: Tensor, covariance: Tensor, other_mean: Tensor, other_covariance: Tensor
) -> float:
    """Return ‖μ₁ − μ₂‖² + tr(C₁ + C₂ − 2 (C₁ C₂)^½), the squared Wasserstein-2 distance.

    Dowson & Landau (1982). The eigenvalues of C₁ C₂ are those of C₁^½ C₂ C₁^½, which is symmetric:
    the trace of the root is the sum of their roots, and nothing becomes complex.

    Args:
        mean: μ₁, `[D]`.
        covariance: C₁, `[D, D]`.
        other_mean: μ₂, `[D]`.
        other_covariance: C₂, `[D, D]`.
    """
    m1, c1, m2, c2 = (t.double() for t in (mean, covariance, other_mean, other_covariance))
    values, vectors = torch.linalg.eigh(c1)
    root = (vectors * values.clamp(min=0.0).sqrt()) @ vectors.mT  # C₁^½
    roots = torch.linalg.eigvalsh(root @ c2 @ root).clamp(min=0.0).sqrt()  # [D]
    distance = (m1 - m2).square().sum() + c1.trace() + c2.trace() - 2.0 * roots.sum()
    return max(distance.item(), 0.0)


@explained
def frechet_distance(x: Tensor, y: Tensor) -> float:
    """Return the Fréchet distance of Gaussians fitted to `x` `[N, D]` and `y` `[M, D]`.

    On features of Inception this is the FID (Heusel et al., 2017). It falls with the number of
    rows: compare figures of equal N and M, well above D.

    Raises:
        ValueError: there are fewer than two rows.
    """
    _check(x, y, least=2)
    x, y = x.double(), y.double()
    return gaussian_frechet_distance(x.mean(0), x.mT.cov(), y.mean(0), y.mT.cov())


@explained
def squared_mmd(x: Tensor, y: Tensor, bandwidths: Sequence[float] | None = None) -> float:
    """Return the unbiased estimate of MMD², Gretton et al. (2012), equation 3.

    E k(x, x') + E k(y, y') − 2 E k(x, y) over pairs of different rows, where k is the mean of
    exp(−½‖a − b‖²/σ²) over the bandwidths σ. Of samples of one distribution it is 0 on average, so
    that half of the estimates are negative.

    Args:
        x: `[N, D]`.
        y: `[M, D]`.
        bandwidths: σ, in units of the rows; ¼, ½, 1, 2 and 4 times the median distance in `x`
            by default.

    Raises:
        ValueError: there are fewer than two rows, or half of `x` are equal and no bandwidth given.
    """
    _check(x, y, least=2)
    x, y = x.double(), y.double()
    if bandwidths is None:
        median = torch.pdist(x[:ROWS]).median().item()
        if median == 0.0:
            raise ValueError("more than half of the rows are equal: give bandwidths")
        bandwidths = [scale * median for scale in (0.25, 0.5, 1.0, 2.0, 4.0)]
    n, m = len(x), len(y)
    within_x = (_kernel_sum(x, x, bandwidths) - n) / (n * (n - 1))
    within_y = (_kernel_sum(y, y, bandwidths) - m) / (m * (m - 1))
    return within_x + within_y - 2.0 * _kernel_sum(x, y, bandwidths) / (n * m)


def _kernel_sum(x: Tensor, y: Tensor, bandwidths: Sequence[float]) -> float:
    """Return Σ_ij k(x_i, y_j)."""
    total = x.new_zeros(())
    for rows in x.split(ROWS):
        squared = torch.cdist(rows, y).square_()  # [ROWS, M]
        for bandwidth in bandwidths:
            total += squared.mul(-0.5 / bandwidth**2).exp_().sum() / len(bandwidths)
    return total.item()


def _check(x: Tensor, y: Tensor, least: int) -> None:
    """Raise unless both are finite rows of the same length, and enough of them."""
    if x.dim() != 2 or y.dim() != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < least:
        raise ValueError(
            f"rows have shapes {list(x.shape)} and {list(y.shape)}: "
            f"expected [N, D] and [M, D] with at least {least} rows"
        )
    if not bool(x.isfinite().all() & y.isfinite().all()):
        raise ValueError("rows hold NaN or infinity, of which there is no distance")
