"""The mathematics of distributional value learning, as pure functions, and slopes of its losses.

A categorical distribution has Z atoms at fixed returns and learns their probabilities; a quantile
one has N equal probabilities and learns where they lie.
"""

import torch
from torch import Tensor


def categorical_projection(returns: Tensor, probability: Tensor, low: float, high: float) -> Tensor:
    """Return the distribution on Z evenly spaced atoms zᵢ of [low, high] nearest to a given one.

    (Φp)ᵢ = Σⱼ max(0, 1 − |clip(yⱼ, low, high) − zᵢ| / Δz) · pⱼ: what lies between two atoms is
    shared by them, the nearer gets more (Bellemare, Dabney & Munos, 2017, equation 7). Mass is
    preserved, and so is the mean where all yⱼ lie in the interval.

    Args:
        returns: yⱼ, where the mass lies, `[..., Z]`.
        probability: pⱼ, `[..., Z]`, rows summing to 1.
        low: the first atom.
        high: the last atom.
    """
    atoms = probability.shape[-1]
    position = (returns - low) * ((atoms - 1) / (high - low))  # in steps of Δz
    position = position.clamp(0.0, atoms - 1.0)  # [..., Z]
    below = position.floor()
    share = (position - below) * probability  # goes to the atom above
    index = below.long()
    projected = torch.zeros_like(probability).scatter_add_(-1, index, probability - share)
    return projected.scatter_add_(-1, (index + 1).clamp(max=atoms - 1), share)


def categorical_slope(logits: Tensor, target: Tensor) -> Tensor:
    """Return d/d(logits) of the cross-entropy −Σ mᵢ log softmax(logits)ᵢ: softmax(logits) − m.

    Args:
        logits: `[..., Z]`.
        target: m, `[..., Z]`, rows summing to 1.
    """
    return logits.softmax(dim=-1) - target


def categorical_divergence(logits: Tensor, target: Tensor) -> Tensor:
    """Return KL(m ‖ softmax(logits)) `[...]`, the cross-entropy less the entropy of the target."""
    log_ratio = torch.xlogy(target, target) - target * logits.log_softmax(dim=-1)  # [..., Z]
    return log_ratio.sum(dim=-1)


def quantile_huber_loss(quantiles: Tensor, target: Tensor, kappa: float = 1.0) -> Tensor:
    """Return Σᵢ Eⱼ |τᵢ − 1(uᵢⱼ < 0)| h(uᵢⱼ) / κ with uᵢⱼ = yⱼ − θᵢ, of `[...]` distributions.

    τᵢ = (2i + 1) / 2N are the midpoints, h is the Huber loss, quadratic up to κ. For small κ the
    minimum is at the τᵢ-quantiles of y (Dabney et al., 2018, equation 10).

    Args:
        quantiles: θᵢ, `[..., N]`.
        target: yⱼ, equally probable, `[..., M]`.
        kappa: κ > 0, in units of the return.
    """
    error = target.unsqueeze(-2) - quantiles.unsqueeze(-1)  # [..., N, M]
    size = error.abs()
    huber = torch.where(size <= kappa, 0.5 * error.square(), kappa * (size - 0.5 * kappa))
    return (_asymmetry(error) * huber / kappa).mean(dim=-1).sum(dim=-1)


def quantile_huber_slope(quantiles: Tensor, target: Tensor, kappa: float = 1.0) -> Tensor:
    """Return d/dθᵢ of `quantile_huber_loss`: −Eⱼ |τᵢ − 1(uᵢⱼ < 0)| clip(uᵢⱼ, −κ, κ) / κ.

    Args:
        quantiles: θᵢ, `[..., N]`.
        target: yⱼ, equally probable, `[..., M]`.
        kappa: κ > 0, in units of the return.
    """
    error = target.unsqueeze(-2) - quantiles.unsqueeze(-1)  # [..., N, M]
    return -(_asymmetry(error) * error.clamp(-kappa, kappa) / kappa).mean(dim=-1)


def _asymmetry(error: Tensor) -> Tensor:
    """Return |τᵢ − 1(uᵢⱼ < 0)| of errors `[..., N, M]`."""
    count = error.shape[-2]
    midpoints = torch.arange(count, dtype=error.dtype, device=error.device) + 0.5
    tau = midpoints / count  # [N]
    return (tau.unsqueeze(-1) - (error < 0).to(error.dtype)).abs()
