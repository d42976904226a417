"""Losses of autoencoders, and the Gaussians in them, as pure functions.

A loss is one number per row, summed over dimensions; its mean over the batch is what is lowered. A
mean over dimensions instead would weigh reconstruction against KL by 1/D in secret (curriculum
G-VAE-02). All are computed in float32 at least, under autocast, too.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from nets.inputs import explained
from nets.layers.precision import at_least_float32

LOG_2PI = math.log(2.0 * math.pi)


@explained
def squared_distance(reconstruction: Tensor, x: Tensor) -> Tensor:
    """Return ‖x − x̂‖² `[B]`, curriculum N-LOSS-11, G-AE-01.

    Args:
        reconstruction: x̂, `[B, ...]`.
        x: data `[B, ...]`.
    """
    return (at_least_float32(reconstruction) - x).square().flatten(1).sum(1)


@explained
def bernoulli_nll(logits: Tensor, x: Tensor) -> Tensor:
    """Return −log p(x | z) = −Σ x log σ(l) + (1 − x) log(1 − σ(l)) `[B]`, curriculum N-LOSS-04,
    -08.

    Computed as max(l, 0) − l·x + log(1 + e^−|l|), which is finite for every logit.

    Args:
        logits: l, `[B, ...]`.
        x: data in [0, 1], `[B, ...]`.
    """
    each = F.binary_cross_entropy_with_logits(at_least_float32(logits), x, reduction="none")
    return each.flatten(1).sum(1)


@explained
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


@explained
def reparameterize(mean: Tensor, logvar: Tensor) -> Tensor:
    """Draw z = μ + σ ⊙ ε, ε ~ N(0, I), σ = exp(½ log σ²) `[B, D]`, curriculum G-VAE-03.

    Differentiable in μ and σ; ε comes from torch's global generator.

    Args:
        mean: μ, `[B, D]`.
        logvar: log σ², `[B, D]`.
    """
    return torch.addcmul(mean, torch.exp(0.5 * logvar), torch.randn_like(mean))


@explained
def standard_normal_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(μ, σ²) ‖ N(0, I)) = −½ Σ (log σ² − σ² − μ² + 1) `[B]`, curriculum G-VAE-06.

    Args:
        mean: μ, `[B, D]`.
        logvar: log σ², `[B, D]`.
    """
    return standard_normal_kls(mean, logvar).sum(-1)


@explained
def standard_normal_kls(mean: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(μ_d, σ_d²) ‖ N(0, 1)) of each latent d, `[B, D]`; see `standard_normal_kl`."""
    mean, logvar = at_least_float32(mean), at_least_float32(logvar)
    return 0.5 * (mean.square() + logvar.exp() - logvar - 1.0)


@explained
def gaussian_kl(mean: Tensor, logvar: Tensor, other_mean: Tensor, other_logvar: Tensor) -> Tensor:
    """Return KL(N(μ₁, σ₁²) ‖ N(μ₂, σ₂²)) `[B]`, curriculum G-VAE-05.

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


@explained
def gaussian_log_prob(z: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """Return log N(z_d; μ_d, σ_d²), dimension by dimension; the arguments broadcast."""
    return -0.5 * ((z - mean).square() * torch.exp(-logvar) + logvar + LOG_2PI)
