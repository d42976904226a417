"""The exact aggregate posterior q(z) = 1/N Σ_n q(z | x_n) of a data set, and what it tells.

Training estimates these terms from batches (`autoencoders.total_correlation`); here every
posterior of the data takes part.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from nets.inputs import explained

from ..autoencoders.losses import gaussian_log_prob

ENTRIES = 2**20  # of a matrix that is in memory at once; caches of CPUs hold it


class Decomposition(NamedTuple):
    """The three parts of the mean KL(q(z | x) ‖ N(0, I)), in nats."""

    mutual_information: float
    total_correlation: float
    dimension_wise_kl: float


@torch.no_grad()
@explained
def kl_decomposition(z: Tensor, mean: Tensor, logvar: Tensor) -> Decomposition:
    """Return I(z; x), TC(z) and Σ_d KL(q(z_d) ‖ p(z_d)) of the whole data set, curriculum G-VAE-08.

    Means over the given z of log q(z | x) − log q(z), log q(z) − Σ_d log q(z_d) and
    Σ_d log q(z_d) − log p(z_d), Chen et al. (2018), with the exact q(z).

    Args:
        z: draws, row s from the posterior of row s, `[S, D]` with S ≤ N.
        mean: of the posteriors of all data, `[N, D]`.
        logvar: of the posteriors of all data, `[N, D]`.
    """
    joints, marginals = [], []
    for _, pairs in log_densities(z, mean, logvar):  # [S', N, D]
        joints.append(pairs.sum(-1).logsumexp(1) - math.log(len(mean)))  # [S']: log q(z)
        marginals.append((pairs.logsumexp(1) - math.log(len(mean))).sum(-1))
    log_joint, log_marginals = torch.cat(joints), torch.cat(marginals)  # [S]
    log_conditional = gaussian_log_prob(z, mean[: len(z)], logvar[: len(z)]).sum(-1)
    log_prior = gaussian_log_prob(z, torch.zeros_like(z), torch.zeros_like(z)).sum(-1)
    return Decomposition(
        (log_conditional - log_joint).double().mean().item(),
        (log_joint - log_marginals).double().mean().item(),
        (log_marginals - log_prior).double().mean().item(),
    )


@explained
def log_densities(z: Tensor, mean: Tensor, logvar: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield log q(z_sd | x_n) `[S', N, D]` for some rows of z at a time, and which rows.

    Args:
        z: `[S, D]`.
        mean: `[N, D]`.
        logvar: `[N, D]`.
    """
    step = max(1, ENTRIES // mean.numel())
    for start in range(0, len(z), step):
        rows = slice(start, start + step)
        yield rows, gaussian_log_prob(z[rows].unsqueeze(1), mean, logvar)
