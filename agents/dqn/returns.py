"""What the outputs of a Q-network say about returns, and how they are to change."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from ..equations.distributional import (
    categorical_divergence,
    categorical_projection,
    categorical_slope,
    quantile_huber,
)
from ..equations.losses import huber_slope, squared_slope
from ..equations.targets import double_q_learning_target
from ..loop.experience import Array

SLOPES = {"huber": huber_slope, "mse": squared_slope}


class ReturnModel(Protocol):
    """The meaning of outputs `[..., A · size]`, `size` of them for each action."""

    size: int
    error_name: str

    def values(self, outputs: Tensor) -> Tensor:
        """Return expected returns `[..., A]`."""

    def on_arrays(self, network: Callable[[Array], Array]) -> Callable[[Array], Array]:
        """Return a function from observations to expected returns, by a network on arrays."""

    def target(self, r_t: Tensor, discount_t: Tensor, after: Tensor, selector: Tensor) -> Tensor:
        """Return what outputs for the action taken should have said.

        Args:
            r_t: rewards `[...]`.
            discount_t: γ · (1 − terminated), `[...]`.
            after: outputs for the next observation, `[..., A · size]` (target network).
            selector: outputs whose values choose the next action, `[..., A · size]`.
        """

    def slope(
        self, outputs: Tensor, action: Tensor, target: Tensor, weight: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return dL/d(outputs), `[..., A · size]`, and how far outputs are from target, `[...]`.

        Args:
            outputs: `[..., A · size]`.
            action: taken, `[...]`, int64.
            target: what `target` returned.
            weight: of each row in the loss L, `[...]`.
        """


class ExpectedReturn:
    """One output per action: q(s, a), whose Huber loss or squared error is minimised.

    Args:
        loss: `"huber"` or `"mse"`.
    """

    size = 1
    error_name = "td_error"

    def __init__(self, loss: str) -> None:
        self.loss_slope = SLOPES[loss]

    def values(self, outputs: Tensor) -> Tensor:
        """Return the outputs."""
        return outputs

    def on_arrays(self, network: Callable[[Array], Array]) -> Callable[[Array], Array]:
        """Return the network."""
        return network

    def target(self, r_t: Tensor, discount_t: Tensor, after: Tensor, selector: Tensor) -> Tensor:
        """Return yₜ `[...]`, the target of (double) Q-learning."""
        return double_q_learning_target(r_t, discount_t, after, selector)

    def slope(
        self, outputs: Tensor, action: Tensor, target: Tensor, weight: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return ℓ'(q(s, a) − y) at the actions taken, 0 at the others; and q(s, a) − y."""
        place = action.unsqueeze(-1)  # [..., 1]
        error = outputs.gather(-1, place).squeeze(-1) - target  # [...]
        slope = (self.loss_slope(error) * weight).unsqueeze(-1)  # [..., 1]
        return torch.zeros_like(outputs).scatter_(-1, place, slope), error


class _Distribution:
    """What distributions share: `size` outputs for each action."""

    size: int

    def values(self, outputs: Tensor) -> Tensor:
        raise NotImplementedError

    def on_arrays(self, network: Callable[[Array], Array]) -> Callable[[Array], Array]:
        """Return a function from observations to expected returns, by a network on arrays."""
        return lambda x: self.values(torch.from_numpy(network(x))).numpy()

    def best(self, after: Tensor, selector: Tensor) -> Tensor:
        """Return the outputs `[..., size]` for the action that `selector` values most."""
        return self.take(after, self.values(selector).argmax(dim=-1))

    def take(self, outputs: Tensor, action: Tensor) -> Tensor:
        """Return the outputs `[..., size]` for actions `[...]`."""
        each = self.split(outputs)  # [..., A, size]
        return each.gather(-2, self._place(action)).squeeze(-2)

    def put(self, outputs: Tensor, action: Tensor, slope: Tensor) -> Tensor:
        """Return `slope` `[..., size]` at the actions' outputs, 0 at the others."""
        each = torch.zeros_like(self.split(outputs))  # [..., A, size]
        return each.scatter_(-2, self._place(action), slope.unsqueeze(-2)).flatten(-2)

    def split(self, outputs: Tensor) -> Tensor:
        """Return the outputs as `[..., A, size]`."""
        return outputs.unflatten(-1, (-1, self.size))

    def _place(self, action: Tensor) -> Tensor:
        return action[..., None, None].expand(*action.shape, 1, self.size)


class CategoricalReturn(_Distribution):
    """Logits of `size` returns, evenly spaced: C51 (Bellemare, Dabney & Munos, 2017).

    Args:
        atoms: number of returns Z.
        low: the smallest.
        high: the largest.
        device: of the networks.
    """

    error_name = "kl_divergence"

    def __init__(self, atoms: int, low: float, high: float, device: torch.device) -> None:
        self.size, self.low, self.high = atoms, low, high
        self.support = torch.linspace(low, high, atoms, device=device)  # [Z]

    def values(self, outputs: Tensor) -> Tensor:
        """Return Σ pᵢ zᵢ for each action."""
        return self.split(outputs).softmax(dim=-1) @ self.support

    def target(self, r_t: Tensor, discount_t: Tensor, after: Tensor, selector: Tensor) -> Tensor:
        """Return the probabilities of rₜ + discountₜ · Z(sₜ, a*), projected to the support."""
        probability = self.best(after, selector).softmax(dim=-1)  # [..., Z]
        returns = torch.addcmul(r_t[..., None], discount_t[..., None], self.support)  # [..., Z]
        return categorical_projection(returns, probability, self.low, self.high)

    def slope(
        self, outputs: Tensor, action: Tensor, target: Tensor, weight: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy's slope, and the divergence that it makes smaller."""
        logits = self.take(outputs, action)  # [..., Z]
        slope = categorical_slope(logits, target) * weight.unsqueeze(-1)
        return self.put(outputs, action, slope), categorical_divergence(logits, target)


class QuantileReturn(_Distribution):
    """`size` quantiles of the return: QR-DQN (Dabney et al., 2018).

    Args:
        quantiles: their number N.
    """

    error_name = "quantile_loss"

    def __init__(self, quantiles: int) -> None:
        self.size = quantiles

    def values(self, outputs: Tensor) -> Tensor:
        """Return the mean of the quantiles, for each action."""
        return self.split(outputs).mean(dim=-1)

    def target(self, r_t: Tensor, discount_t: Tensor, after: Tensor, selector: Tensor) -> Tensor:
        """Return the quantiles of rₜ + discountₜ · Z(sₜ, a*), `[..., N]`."""
        return torch.addcmul(r_t[..., None], discount_t[..., None], self.best(after, selector))

    def slope(
        self, outputs: Tensor, action: Tensor, target: Tensor, weight: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the quantile Huber loss's slope, and the loss."""
        quantiles = self.take(outputs, action)  # [..., N]
        loss, slope = quantile_huber(quantiles, target)
        return self.put(outputs, action, slope * weight.unsqueeze(-1)), loss
