"""The mathematics of distributional value learning, as pure functions.

A categorical distribution has Z atoms at fixed returns and learns their probabilities; a quantile
one has N equal probabilities and learns where they lie.
"""

import torch
from torch import Tensor

from nets.inputs import explained

from .losses import Loss


@explained
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


@explained
def categorical_divergence(logits: Tensor, target: Tensor) -> Loss:
    """Return KL(m ‖ softmax(logits)) and its slope softmax(logits) − m.

    The divergence is the cross-entropy −Σ mᵢ log softmax(logits)ᵢ less the entropy of the target.

    Args:
        logits: `[..., Z]`.
        target: m, `[..., Z]`, rows summing to 1.

    Returns:
        The divergence `[...]` and the slope `[..., Z]`.
    """
    log_ratio = torch.xlogy(target, target) - target * logits.log_softmax(dim=-1)  # [..., Z]
    return Loss(log_ratio.sum(dim=-1), logits.softmax(dim=-1) - target)


@explained
def quantile_huber(quantiles: Tensor, target: Tensor, kappa: float = 1.0) -> Loss:
    """Return the loss Σᵢ Eⱼ |τᵢ − 1(uᵢⱼ < 0)| h(uᵢⱼ) / κ with uᵢⱼ = yⱼ − θᵢ, and its slope d/dθᵢ.

    τᵢ = (2i + 1) / 2N are the midpoints. The Huber loss h(u) is ½u² up to κ, linear beyond:
    h(u) = c · (u − ½c) with slope c = clip(u, −κ, κ). For small κ the minimum is at the
    τᵢ-quantiles of y (Dabney et al., 2018, equation 10).

    Args:
        quantiles: θᵢ, `[..., N]`.
        target: yⱼ, equally probable, `[..., M]`.
        kappa: κ > 0, in units of the return.

    Returns:
        The loss `[...]` and the slope `[..., N]`.
    """
    count = quantiles.shape[-1]
    midpoints = torch.arange(count, dtype=quantiles.dtype, device=quantiles.device) + 0.5
    tau = (midpoints / count).unsqueeze(-1)  # [N, 1]
    error = target.unsqueeze(-2) - quantiles.unsqueeze(-1)  # [..., N, M]
    clipped = error.clamp(-kappa, kappa)
    weighted = torch.where(error < 0, 1.0 - tau, tau) * clipped  # |τ − 1(u < 0)| · h'(u)
    loss = (weighted * (error - 0.5 * clipped)).mean(dim=-1).sum(dim=-1) / kappa
    return Loss(loss, -weighted.mean(dim=-1) / kappa)
