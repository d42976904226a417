"""Losses of policy-gradient methods, as pure functions, one number per action, and their slopes.

Whoever takes their mean decides what counts: rows can be left out or weighted. Advantages and
targets are data: they carry no gradient.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Loss(NamedTuple):
    """What is minimised, and its derivative with respect to what a network says of each action."""

    value: Tensor  # [...]
    slope: Tensor  # [...]


def policy_gradient_loss(log_prob: Tensor, advantage: Tensor) -> Tensor:
    """Return −log π(aₜ | sₜ) · Aₜ, whose gradient is REINFORCE's, Williams (1992), SPEC A-PG-02.

    With Aₜ = Gₜ the expected gradient is −∇J; any baseline b(sₜ) subtracted from Gₜ leaves it as
    it is (SPEC A-PG-03). Gₜ sums the rewards from t on, and no γᵗ stands before it (SPEC A-PG-04).

    Args:
        log_prob: log π(aₜ | sₜ), `[...]`.
        advantage: Aₜ, `[...]`.
    """
    return -log_prob * advantage


def importance_ratio(log_prob: Tensor, behavior_log_prob: Tensor) -> Tensor:
    """Return ρₜ = π(aₜ | sₜ) / μ(aₜ | sₜ), where μ chose the actions; both logs are `[...]`."""
    return (log_prob - behavior_log_prob).exp()


def clipped_surrogate_loss(ratio: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """Return −min(ρₜ Aₜ, clip(ρₜ, 1 − ε, 1 + ε) Aₜ), Schulman et al. (2017), equation 7.

    The gradient vanishes where ρ has left the interval in the direction that Aₜ favours.

    Args:
        ratio: ρₜ, `[...]`.
        advantage: Aₜ, `[...]`.
        clip: ε > 0.
    """
    clipped = ratio.clamp(1.0 - clip, 1.0 + clip)
    return -torch.minimum(ratio * advantage, clipped * advantage)


def clipped_surrogate_slope(ratio: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """Return d/d(log π) of `clipped_surrogate_loss`: −ρₜ Aₜ, and 0 where the clip has the say."""
    surrogate = ratio * advantage
    clipped = ratio.clamp(1.0 - clip, 1.0 + clip) * advantage
    return -surrogate * (surrogate <= clipped)


def value_loss(value: Tensor, target: Tensor) -> Tensor:
    """Return ½(v(sₜ) − Gₜ)² of values and targets `[...]`."""
    return 0.5 * (value - target).square()


def clipped_value_loss(value: Tensor, old_value: Tensor, target: Tensor, clip: float) -> Tensor:
    """Return the larger of ½(v − G)² and ½(v_old + clip(v − v_old, −ε, ε) − G)².

    A value that has moved by more than ε towards its target gets no further gradient.

    Args:
        value: v(sₜ), `[...]`.
        old_value: v(sₜ) when the experience was gathered, `[...]`.
        target: Gₜ, `[...]`.
        clip: ε > 0, in units of the return.
    """
    near = old_value + (value - old_value).clamp(-clip, clip)
    return torch.maximum(value_loss(value, target), value_loss(near, target))


def clipped_value_slope(value: Tensor, old_value: Tensor, target: Tensor, clip: float) -> Tensor:
    """Return d/dv of `clipped_value_loss`: v − G, and 0 where the clip has the say."""
    near = old_value + (value - old_value).clamp(-clip, clip)
    return (value - target) * (value_loss(value, target) >= value_loss(near, target))


def kl_estimate(log_prob: Tensor, behavior_log_prob: Tensor) -> Tensor:
    """Return (ρ − 1) − log ρ ≥ 0, whose mean over actions of μ is KL(μ ‖ π); both `[...]`."""
    log_ratio = log_prob - behavior_log_prob
    return log_ratio.expm1() - log_ratio


def huber(error: Tensor) -> Loss:
    """Return the Huber loss, ½e² if |e| ≤ 1 else |e| − ½, and its slope c = clip(e, −1, 1).

    Both cases are c · (e − ½c). Errors e are `[...]`.
    """
    slope = error.clamp(-1.0, 1.0)
    return Loss(slope * (error - 0.5 * slope), slope)


def square(error: Tensor) -> Loss:
    """Return e² of errors `[...]`, and its slope 2e."""
    return Loss(error * error, 2.0 * error)
