"""Losses of autoencoders, as pure functions: one number per row, summed over dimensions.

Whoever takes their mean over the batch has the loss. A mean over dimensions instead would weigh
reconstruction against KL by 1/D in secret (SPEC G-VAE-02). All are computed in float32 at least,
under autocast, too.
"""

import math
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

LOG_2PI = math.log(2.0 * math.pi)
Estimator: TypeAlias = Literal["stratified", "weighted"]


def squared_distance(reconstruction: Tensor, x: Tensor) -> Tensor:
    """Return ‖x − x̂‖² `[B]`, SPEC N-LOSS-11, G-AE-01.

    Args:
        reconstruction: x̂, `[B, ...]`.
        x: data `[B, ...]`.
    """
    return (at_least_float32(reconstruction) - x).square().flatten(1).sum(1)


def bernoulli_nll(logits: Tensor, x: Tensor) -> Tensor:
    """Return −log p(x | z) = −Σ x log σ(l) + (1 − x) log(1 − σ(l)) `[B]`, SPEC N-LOSS-04, -08.

    Computed as max(l, 0) − l·x + log(1 + e^−|l|), which is finite for every logit.

    Args:
        logits: l, `[B, ...]`.
        x: data in [0, 1], `[B, ...]`.
    """
    each = F.binary_cross_entropy_with_logits(at_least_float32(logits), x, reduction="none")
    return each.flatten(1).sum(1)


def gaussian_nll(mean: Tensor, x: Tensor, log_scale: Tensor | float = 0.0) -> Tensor:
    """Return −log N(x; μ, σ²) = Σ ½((x − μ)/σ)² + log σ + ½ log 2π `[B]`.

    Args:
        mean: μ, `[B, ...]`.
        x: data `[B, ...]`.
        log_scale: log σ: a number, a parameter `[]`, or anything that broadcasts against x.
    """
    scale = log_scale.exp() if isinstance(log_scale, Tensor) else math.exp(log_scale)
    standard = (x - at_least_float32(mean)) / scale  # [B, ...]
    return (0.5 * standard.square() + (log_scale + 0.5 * LOG_2PI)).flatten(1).sum(1)


def reparameterize(mean: Tensor, logvar: Tensor) -> Tensor:
    """Draw z = μ + σ ⊙ ε, ε ~ N(0, I), σ = exp(½ log σ²) `[B, D]`, SPEC G-VAE-03.

    Differentiable in μ and σ; ε comes from torch's global generator.

    Args:
        mean: μ, `[B, D]`.
        logvar: log σ², `[B, D]`.
    """
    return torch.addcmul(mean, torch.exp(0.5 * logvar), torch.randn_like(mean))


def standard_normal_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(μ, σ²) ‖ N(0, I)) = −½ Σ (log σ² − σ² − μ² + 1) `[B]`, SPEC G-VAE-06.

    Args:
        mean: μ, `[B, D]`.
        logvar: log σ², `[B, D]`.
    """
    mean, logvar = at_least_float32(mean), at_least_float32(logvar)
    return 0.5 * (mean.square() + logvar.exp() - logvar - 1.0).sum(-1)


def gaussian_kl(mean: Tensor, logvar: Tensor, other_mean: Tensor, other_logvar: Tensor) -> Tensor:
    """Return KL(N(μ₁, σ₁²) ‖ N(μ₂, σ₂²)) `[B]`, SPEC G-VAE-05.

    −½ Σ (log(σ₁²/σ₂²) − σ₁²/σ₂² − (μ₁ − μ₂)²/σ₂² + 1)

    Args:
        mean: μ₁, `[B, D]`.
        logvar: log σ₁², `[B, D]`.
        other_mean: μ₂, `[B, D]`.
        other_logvar: log σ₂², `[B, D]`.
    """
    precision = torch.exp(-at_least_float32(other_logvar))
    log_ratio = at_least_float32(logvar) - other_logvar
    distance = (at_least_float32(mean) - other_mean).square() * precision
    return 0.5 * (log_ratio.exp() + distance - log_ratio - 1.0).sum(-1)


def gaussian_log_prob(z: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """Return log N(z_d; μ_d, σ_d²), dimension by dimension; the arguments broadcast."""
    return -0.5 * ((z - mean).square() * torch.exp(-logvar) + logvar + LOG_2PI)


def total_correlation_decomposition(
    z: Tensor,
    mean: Tensor,
    logvar: Tensor,
    *,
    dataset_size: int,
    estimator: Estimator = "stratified",
) -> tuple[Tensor, Tensor, Tensor]:
    """Estimate the three parts of E_x KL(q(z | x) ‖ p(z)) from a batch, SPEC G-VAE-08, G-VAE-09.

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


def at_least_float32(x: Tensor) -> Tensor:
    """Return `x` in float32, or float64 where it is that."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
