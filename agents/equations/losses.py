"""Losses of agents, as pure functions, one number per action, each with its slope.

Whoever takes their mean decides what counts: rows can be left out or weighted. Advantages and
targets are data: they carry no gradient.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from nets.inputs import explained


class Loss(NamedTuple):
    """What is minimised, and its derivative with respect to what a network says of each action."""

    value: Tensor  # [...]
    slope: Tensor  # [...] in log π where a policy learns, in v or q where values do


@explained
def policy_gradient(log_prob: Tensor, advantage: Tensor) -> Loss:
    """Return −log π(aₜ | sₜ) · Aₜ and its slope −Aₜ, Williams (1992), curriculum A-PG-02.

    With Aₜ = Gₜ the expected gradient is −∇J; any baseline b(sₜ) subtracted from Gₜ leaves it as
    it is (curriculum A-PG-03). Gₜ sums the rewards from t on, and no γᵗ stands before it
    (curriculum A-PG-04).

    Args:
        log_prob: log π(aₜ | sₜ), `[...]`.
        advantage: Aₜ, `[...]`.
    """
    return Loss(-log_prob * advantage, -advantage)


@explained
def importance_ratio(log_prob: Tensor, behavior_log_prob: Tensor) -> Tensor:
    """Return ρₜ = π(aₜ | sₜ) / μ(aₜ | sₜ), where μ chose the actions; both logs are `[...]`."""
    return (log_prob - behavior_log_prob).exp()


@explained
def clipped_surrogate(ratio: Tensor, advantage: Tensor, clip: float) -> Loss:
    """Return −min(ρₜ Aₜ, clip(ρₜ, 1 − ε, 1 + ε) Aₜ), Schulman et al. (2017), equation 7.

    As dρ/d(log π) = ρ, its slope in log π is −ρₜ Aₜ, and 0 where ρ has left the interval in the
    direction that Aₜ favours.

    Args:
        ratio: ρₜ, `[...]`.
        advantage: Aₜ, `[...]`.
        clip: ε > 0.
    """
    surrogate = ratio * advantage
    clipped = ratio.clamp(1.0 - clip, 1.0 + clip) * advantage
    value = -torch.minimum(surrogate, clipped)
    return Loss(value, value * (surrogate <= clipped))


@explained
def half_square(error: Tensor) -> Loss:
    """Return ½e² of errors e `[...]`, and its slope e."""
    return Loss(0.5 * error.square(), error)


@explained
def clipped_half_square(value: Tensor, old_value: Tensor, target: Tensor, clip: float) -> Loss:
    """Return the larger of ½(v − G)² and ½(v_old + clip(v − v_old, −ε, ε) − G)².

    A value that has moved by more than ε towards its target gets no further gradient: the slope in
    v is v − G, and 0 where the clip has the say.

    Args:
        value: v(sₜ), `[...]`.
        old_value: v(sₜ) when the experience was gathered, `[...]`.
        target: Gₜ, `[...]`.
        clip: ε > 0, in units of the return.
    """
    near = old_value + (value - old_value).clamp(-clip, clip)
    free, clipped = half_square(value - target), half_square(near - target)
    worse = torch.maximum(free.value, clipped.value)
    return Loss(worse, free.slope * (free.value >= clipped.value))


@explained
def kl_estimate(log_prob: Tensor, behavior_log_prob: Tensor) -> Tensor:
    """Return (ρ − 1) − log ρ ≥ 0, whose mean over actions of μ is KL(μ ‖ π); both `[...]`."""
    log_ratio = log_prob - behavior_log_prob
    return log_ratio.expm1() - log_ratio


@explained
def huber(error: Tensor) -> Loss:
    """Return the Huber loss, ½e² if |e| ≤ 1 else |e| − ½, and its slope c = clip(e, −1, 1).

    Both cases are c · (e − ½c). Errors e are `[...]`.
    """
    slope = error.clamp(-1.0, 1.0)
    return Loss(slope * (error - 0.5 * slope), slope)


@explained
def square(error: Tensor) -> Loss:
    """Return e² of errors `[...]`, and its slope 2e."""
    return Loss(error * error, 2.0 * error)
