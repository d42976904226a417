"""Returns of a rollout: discounted, lambda-weighted, and as generalised advantages."""

import torch
from torch import Tensor

from nets.inputs import explained


@explained
def discounted_returns(r_t: Tensor, discount_t: Tensor, bootstrap: Tensor) -> Tensor:
    """Return Gₜ₋₁ = rₜ + discountₜ · Gₜ, backwards from a last value (curriculum A-CORE-02).

    Args:
        r_t: rewards `[T, ...]`.
        discount_t: γ · (1 − terminated), `[T, ...]`.
        bootstrap: value of the observation after the last step, `[...]`.
    """
    returns = [bootstrap]
    rewards, discounts = r_t.unbind(), discount_t.unbind()
    for reward, discount in zip(reversed(rewards), reversed(discounts), strict=True):
        returns.append(torch.addcmul(reward, discount, returns[-1]))
    return torch.stack(returns[:0:-1])  # [T, ...]


@explained
def lambda_returns(
    r_t: Tensor, discount_t: Tensor, v_t: Tensor, lambda_t: Tensor | float
) -> Tensor:
    """Return Gₜ₋₁ = rₜ + discountₜ · ((1 − λₜ) · v(sₜ) + λₜ · Gₜ), Sutton & Barto (2018), 12.3.

    λₜ = 0 takes the value of sₜ and looks no further: it belongs where the next row is another
    episode. λ = 1 elsewhere sums rewards up to the last row, and its value.

    Args:
        r_t: rewards `[T, ...]`.
        discount_t: γ · (1 − terminated), `[T, ...]`.
        v_t: values of the observations that the actions led to, `[T, ...]`.
        lambda_t: λ in [0, 1], a number or `[T, ...]`.
    """
    mixed = r_t + discount_t * (1.0 - lambda_t) * v_t  # [T, ...]
    return discounted_returns(mixed, discount_t * lambda_t, v_t[-1])


@explained
def generalized_advantages(
    r_t: Tensor, discount_t: Tensor, v_tm1: Tensor, v_t: Tensor, lambda_t: Tensor | float
) -> Tensor:
    """Return Aₜ₋₁ = δₜ + discountₜ · λₜ · Aₜ with δₜ = rₜ + discountₜ · v(sₜ) − v(sₜ₋₁).

    This is the λ-return minus v(sₜ₋₁) (Schulman et al., 2016).

    Args:
        r_t: rewards `[T, ...]`.
        discount_t: γ · (1 − terminated), `[T, ...]`.
        v_tm1: values of the observations acted on, `[T, ...]`.
        v_t: values of the observations that the actions led to, `[T, ...]`.
        lambda_t: λ in [0, 1], a number or `[T, ...]`; 0 where an episode ends.
    """
    error = r_t + discount_t * v_t - v_tm1  # [T, ...]
    return discounted_returns(error, discount_t * lambda_t, torch.zeros_like(v_t[-1]))
