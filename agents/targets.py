"""The mathematics of value learning, as pure functions named by time.

Termination enters only through `discount_t` = γ · (1 − terminatedₜ): a truncated episode keeps its
discount, and the value of its last observation is bootstrapped. The functions work on tensors of
any leading shape, written `[...]`.
"""

import torch
from torch import Tensor


def q_learning_target(r_t: Tensor, discount_t: Tensor, q_t: Tensor) -> Tensor:
    """Return yₜ = rₜ + discountₜ · maxₐ q(sₜ, a), Watkins (1989), SPEC A-TD-03.

    Args:
        r_t: rewards `[...]`.
        discount_t: γ · (1 − terminated), `[...]`.
        q_t: action values of the next observation, `[..., A]`.
    """
    return r_t + discount_t * q_t.amax(dim=-1)


def double_q_learning_target(
    r_t: Tensor, discount_t: Tensor, q_t: Tensor, q_t_selector: Tensor
) -> Tensor:
    """Return yₜ = rₜ + discountₜ · q(sₜ, argmaxₐ q_selector(sₜ, a)), SPEC A-FA-03.

    One network chooses the action and the other values it, which removes the bias of taking the
    maximum of noisy estimates (van Hasselt, Guez & Silver, 2016).

    Args:
        r_t: rewards `[...]`.
        discount_t: γ · (1 − terminated), `[...]`.
        q_t: action values that the bootstrap reads (target network), `[..., A]`.
        q_t_selector: action values that choose the action (online network), `[..., A]`.
    """
    best = q_t_selector.argmax(dim=-1, keepdim=True)  # [..., 1]
    return r_t + discount_t * q_t.gather(-1, best).squeeze(-1)


def sarsa_target(r_t: Tensor, discount_t: Tensor, q_t: Tensor, a_t: Tensor) -> Tensor:
    """Return yₜ = rₜ + discountₜ · q(sₜ, aₜ) for the action aₜ actually taken, SPEC A-TD-02.

    Args:
        r_t: rewards `[...]`.
        discount_t: γ · (1 − terminated), `[...]`.
        q_t: action values of the next observation, `[..., A]`.
        a_t: next actions `[...]`, int64.
    """
    return r_t + discount_t * q_t.gather(-1, a_t.unsqueeze(-1)).squeeze(-1)


def expected_sarsa_target(
    r_t: Tensor, discount_t: Tensor, q_t: Tensor, probabilities_t: Tensor
) -> Tensor:
    """Return yₜ = rₜ + discountₜ · Σₐ π(a | sₜ) q(sₜ, a).

    Args:
        r_t: rewards `[...]`.
        discount_t: γ · (1 − terminated), `[...]`.
        q_t: action values of the next observation, `[..., A]`.
        probabilities_t: π(a | sₜ), `[..., A]`, rows summing to 1.
    """
    return r_t + discount_t * (probabilities_t * q_t).sum(dim=-1)


def huber_slope(error: Tensor) -> Tensor:
    """Return d/de of the Huber loss h(e) = ½e² if |e| ≤ 1 else |e| − ½, which is clip(e, −1, 1)."""
    return error.clamp(-1.0, 1.0)


def squared_slope(error: Tensor) -> Tensor:
    """Return d/de of e², which is 2e."""
    return 2.0 * error


def discounted_returns(r_t: Tensor, discount_t: Tensor, bootstrap: Tensor) -> Tensor:
    """Return Gₜ₋₁ = rₜ + discountₜ · Gₜ, backwards from a last value (SPEC A-CORE-02).

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
