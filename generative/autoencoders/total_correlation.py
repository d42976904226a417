"""The KL of an aggregate posterior in its three parts, estimated on minibatches."""

import math

import torch
from torch import Tensor

from nets.layers.precision import at_least_float32

from .config import Estimator
from .losses import LOG_2PI, gaussian_log_prob


def total_correlation_decomposition(
    z: Tensor,
    mean: Tensor,
    logvar: Tensor,
    *,
    dataset_size: int,
    estimator: Estimator = "stratified",
) -> tuple[Tensor, Tensor, Tensor]:
    """Estimate the three parts of E_x KL(q(z | x) ‖ p(z)) from a batch, curriculum G-VAE-08,
    G-VAE-09.

    I(z; x) = E[log q(z | x) − log q(z)], TC = E[log q(z) − Σ_d log q(z_d)] and
    Σ_d KL(q(z_d) ‖ p(z_d)) = E[Σ_d log q(z_d) − log p(z_d)], p = N(0, I). With weights W_ij of
    `log_importance_weights`, log q(z_i) ≈ logsumexp_j (log W_ij + Σ_d log q(z_id | x_j)) and
    log q(z_id) ≈ logsumexp_j (log W_ij + log q(z_id | x_j)). Whatever the weights, the sum of the
    parts is a Monte Carlo estimate of the KL. Chen et al. (2018), "Isolating sources of
    disentanglement in VAEs", equation 2, appendix C. Nothing larger than `[B, B, D]` is made.

    Args:
        z: one draw from each posterior, `[B, D]`.
        mean: of the posteriors, `[B, D]`.
        logvar: of the posteriors, `[B, D]`.
        dataset_size: rows of the training data, N.
        estimator: minibatch `"stratified"` or `"weighted"` sampling.

    Returns:
        Mutual information I(z; x), total correlation TC and dimension-wise KL, each `[]`, in nats.

    Raises:
        ValueError: if the batch has more rows than the data, or the estimator is unknown.
    """
    z, mean, logvar = at_least_float32(z), at_least_float32(mean), at_least_float32(logvar)
    log_weights = log_importance_weights(len(z), dataset_size, estimator, z)  # [B, B]
    pairs = gaussian_log_prob(z.unsqueeze(1), mean, logvar)  # [B, B, D]: log q(z_id | x_j)
    log_joint = torch.logsumexp(log_weights + pairs.sum(-1), 1)  # [B]: log q(z_i)
    log_marginals = torch.logsumexp(log_weights.unsqueeze(-1) + pairs, 1).sum(-1)  # [B]
    log_conditional = gaussian_log_prob(z, mean, logvar).sum(-1)  # [B]: log q(z_i | x_i)
    log_prior = -0.5 * (z.square() + LOG_2PI).sum(-1)  # [B]
    return (
        (log_conditional - log_joint).mean(),
        (log_joint - log_marginals).mean(),
        (log_marginals - log_prior).mean(),
    )


def log_importance_weights(
    batch: int, dataset_size: int, estimator: Estimator, like: Tensor
) -> Tensor:
    """Return log W `[B, B]`, by which a batch stands for all N rows in q(z) = 1/N Σ_j q(z | x_j).

    Stratified, with M = B − 1: W_ii = 1/N, as x_i is one of N; each of the others stands for the
    rest, W_ij = 1/M, but for one, W_i,i+1 = (N − M)/(N M); rows sum to 1. Weighted: 1/(N B). A
    row alone is all there is: its weight is 1.

    Args:
        batch: rows of the batch, B.
        dataset_size: rows of the data, N.
        estimator: `"stratified"` or `"weighted"`.
        like: whose dtype and device the weights take.

    Raises:
        ValueError: see `total_correlation_decomposition`.
    """
    if batch > dataset_size:
        raise ValueError(f"a batch of {batch} rows cannot stand for {dataset_size}")
    n, m = dataset_size, batch - 1
    if estimator == "weighted":
        return torch.full_like(like[:, :1], -math.log(n * batch)).expand(batch, batch)
    if estimator != "stratified":
        raise ValueError(f"estimator is {estimator!r}: expected 'stratified' or 'weighted'")
    if batch == 1:
        return torch.zeros_like(like[:, :1])
    row = torch.full_like(like[:, 0], -math.log(m))  # [B]: column j of row i holds row[j - i]
    row[0], row[1] = -math.log(n), math.log((n - m) / (n * m))
    index = torch.arange(batch, device=like.device)
    return row[(index - index.unsqueeze(1)) % batch]
