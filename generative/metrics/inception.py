"""Figures of papers in Inception's features: KID and Inception score, beside the FID.

Both are torch-fidelity's formulas, so that figures can be compared; all is computed in float64.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from nets.inputs import explained
from nets.process.seeding import hash31

SUBSETS, SUBSET_ROWS = 100, 1000
SPLITS = 10


class Spread(NamedTuple):
    """A mean, and the standard deviation of what it is the mean of."""

    mean: float
    std: float


@explained
def polynomial_mmd(x: Tensor, y: Tensor) -> float:
    """Return the unbiased estimate of MMD² for the kernel k(a, b) = (a·b/D + 1)³.

    Σ_{i≠j} k(x_i, x_j)/(N(N − 1)) + Σ_{i≠j} k(y_i, y_j)/(M(M − 1)) − 2 Σ_ij k(x_i, y_j)/(N·M);
    of samples of one distribution it is 0 on average.

    Args:
        x: `[N, D]`.
        y: `[M, D]`.

    Raises:
        ValueError: there are fewer than two rows.
    """
    n, m = len(x), len(y)
    if min(n, m) < 2:
        raise ValueError(f"there are {n} and {m} rows: expected at least 2")
    x, y = x.double(), y.double()
    within_x, within_y, between = (_kernel(*pair) for pair in ((x, x), (y, y), (x, y)))
    return (
        (within_x.sum() - within_x.trace()) / (n * (n - 1))
        + (within_y.sum() - within_y.trace()) / (m * (m - 1))
        - 2.0 * between.mean()
    ).item()


@explained
def kernel_distance(x: Tensor, y: Tensor, *, seed: int = 0) -> Spread:
    """Return the kernel distance of `x` `[N, D]` and `y` `[M, D]`: on Inception's features, KID.

    Bińkowski et al. (2018): mean and deviation of `polynomial_mmd` over 100 pairs of subsets of
    1,000 rows, or of as many as there are. Unlike the FID it does not depend on N and M on average.

    Args:
        x: features of data.
        y: features of samples.
        seed: of the subsets.
    """
    generator = torch.Generator().manual_seed(hash31(seed, "subsets"))
    size = min(SUBSET_ROWS, len(x), len(y))

    def subset(rows: Tensor) -> Tensor:
        return rows[torch.randperm(len(rows), generator=generator)[:size].to(rows.device)]

    found = torch.tensor([polynomial_mmd(subset(x), subset(y)) for _ in range(SUBSETS)])
    return Spread(found.mean().item(), found.std(correction=0).item())


@explained
def inception_score(logits: Tensor, *, seed: int = 0) -> Spread:
    """Return exp(E KL(p(y | x) ‖ p(y))) of samples, Salimans et al. (2016), from 1 to K.

    Mean and deviation over ten parts of the rows in random order, each with a p(y) of its own. It
    looks at no data: a sample of each class, again and again, has the best score.

    Args:
        logits: of a classifier, `[N, K]`: on Inception's, without biases, the Inception score.
        seed: of the order.

    Raises:
        ValueError: there are fewer rows than parts.
    """
    if len(logits) < SPLITS:
        raise ValueError(f"there are {len(logits)} rows: expected at least {SPLITS}")
    generator = torch.Generator().manual_seed(hash31(seed, "parts"))
    order = torch.randperm(len(logits), generator=generator).to(logits.device)
    size, scores = len(logits) // SPLITS, []
    for k in range(SPLITS):
        log_p = logits[order[k * size : (k + 1) * size]].double().log_softmax(1)  # [N/10, K]
        p = log_p.exp()
        kl = (p * (log_p - p.mean(0).log())).sum(1).mean()
        scores.append(kl.exp())
    found = torch.stack(scores)
    return Spread(found.mean().item(), found.std(correction=0).item())


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    """Return k(x_i, y_j), `[N, M]`."""
    return (x @ y.mT / x.shape[1] + 1.0) ** 3
