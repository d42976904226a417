"""The mathematics of value learning, as pure functions named by time.

Termination enters only through `discount_t` = γ · (1 − terminatedₜ): a truncated episode keeps its
discount, and the value of its last observation is bootstrapped. The functions work on tensors of
any leading shape, written `[...]`; those on a table, SARSA's too, are in `agents.tabular.kernel`.
"""

from torch import Tensor

from nets.inputs import explained


@explained
def q_learning_target(r_t: Tensor, discount_t: Tensor, q_t: Tensor) -> Tensor:
    """Return yₜ = rₜ + discountₜ · maxₐ q(sₜ, a), Watkins (1989), curriculum A-TD-03.

    Args:
        r_t: rewards `[...]`.
        discount_t: γ · (1 − terminated), `[...]`.
        q_t: action values of the next observation, `[..., A]`.
    """
    return r_t + discount_t * q_t.amax(dim=-1)


@explained
def double_q_learning_target(
    r_t: Tensor, discount_t: Tensor, q_t: Tensor, q_t_selector: Tensor
) -> Tensor:
    """Return yₜ = rₜ + discountₜ · q(sₜ, argmaxₐ q_selector(sₜ, a)), curriculum A-FA-03.

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
