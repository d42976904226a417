"""What the outputs of a Q-network say about returns, and how they are to change."""

from abc import ABC, abstractmethod
from typing import Protocol

import torch
from torch import Tensor

from ..equations.distributional import (
    categorical_divergence,
    categorical_projection,
    quantile_huber,
)
from ..equations.losses import Loss, huber, square
from ..equations.masks import masked
from ..equations.targets import double_q_learning_target, q_learning_target
from ..loop.experience import Array

LOSSES = {"huber": huber, "mse": square}


def output_index(action: Tensor, size: int) -> Tensor:
    """Return where the outputs for actions `[...]` stand in `[..., A · size]`, int64 `[..., size]`.

    `outputs.gather(-1, index)` reads them, and `zeros.scatter_(-1, index, slope)` is the way back.
    """
    first = action.unsqueeze(-1) * size  # [..., 1]
    return first if size == 1 else first + torch.arange(size, device=action.device)


class ReturnModel(Protocol):
    """The meaning of outputs `[..., A · size]`, `size` of them for each action."""

    size: int
    error_name: str

    def values(self, outputs: Tensor) -> Tensor:
        """Return expected returns `[..., A]`."""

    def array_values(self, outputs: Array) -> Array:
        """Return the same of an array."""

    def q_learning_target(
        self,
        r_t: Tensor,
        discount_t: Tensor,
        outputs_t: Tensor,
        mask_t: Tensor | None = None,
    ) -> Tensor:
        """Return what outputs for the action taken should have said, if the best one follows.

        Args:
            r_t: rewards `[...]`.
            discount_t: γ · (1 − terminated), `[...]`.
            outputs_t: for the next observation, `[..., A · size]`.
            mask_t: bool `[..., A]`, which actions may follow; None: all.
        """

    def double_q_learning_target(
        self,
        r_t: Tensor,
        discount_t: Tensor,
        outputs_t: Tensor,
        selector_t: Tensor,
        mask_t: Tensor | None = None,
    ) -> Tensor:
        """Return the same with the next action that other outputs `[..., A · size]` choose."""

    def loss(self, prediction: Tensor, target: Tensor) -> tuple[Loss, Tensor]:
        """Return the loss `[...]` with its slope `[..., size]`, and the error `[...]`.

        The error is logged as `error_name`, and tells how much there is to learn from a row.

        Args:
            prediction: outputs for the action taken, `[..., size]`.
            target: what they should have said.
        """


class ExpectedReturn:
    """One output per action, q(s, a): DQN (Mnih et al., 2015).

    Args:
        loss: of q(s, a) − y, `"huber"` or `"mse"`.
    """

    size = 1
    error_name = "td_error"

    def __init__(self, loss: str) -> None:
        self._loss = LOSSES[loss]

    def values(self, outputs: Tensor) -> Tensor:
        """Return the outputs."""
        return outputs

    def array_values(self, outputs: Array) -> Array:
        """Return the outputs."""
        return outputs

    def q_learning_target(
        self,
        r_t: Tensor,
        discount_t: Tensor,
        outputs_t: Tensor,
        mask_t: Tensor | None = None,
    ) -> Tensor:
        """Return rₜ + discountₜ · maxₐ q(sₜ, a), `[...]`."""
        return q_learning_target(r_t, discount_t, masked(outputs_t, mask_t))

    def double_q_learning_target(
        self,
        r_t: Tensor,
        discount_t: Tensor,
        outputs_t: Tensor,
        selector_t: Tensor,
        mask_t: Tensor | None = None,
    ) -> Tensor:
        """Return rₜ + discountₜ · q(sₜ, argmaxₐ q_selector(sₜ, a)), `[...]`."""
        return double_q_learning_target(r_t, discount_t, outputs_t, masked(selector_t, mask_t))

    def loss(self, prediction: Tensor, target: Tensor) -> tuple[Loss, Tensor]:
        """Return ℓ(q(s, a) − y), and the temporal-difference error q(s, a) − y."""
        error = prediction.squeeze(-1) - target  # [...]
        loss = self._loss(error)
        return Loss(loss.value, loss.slope.unsqueeze(-1)), error


class ReturnDistribution(ABC):
    """`size` outputs per action, which describe the distribution of the return Z(s, a)."""

    size: int

    @abstractmethod
    def values(self, outputs: Tensor) -> Tensor:
        """Return the means E Z(s, a), `[..., A]`."""

    def array_values(self, outputs: Array) -> Array:
        """Return the same of an array on the CPU."""
        return self.values(torch.from_numpy(outputs)).numpy()

    @abstractmethod
    def bootstrap(self, r_t: Tensor, discount_t: Tensor, z_t: Tensor) -> Tensor:
        """Return rₜ + discountₜ · Z as the target of a prediction, `[..., size]`.

        Args:
            r_t: rewards `[..., 1]`.
            discount_t: γ · (1 − terminated), `[..., 1]`.
            z_t: outputs for the next action, `[..., size]`.
        """

    def sarsa_target(
        self, r_t: Tensor, discount_t: Tensor, outputs_t: Tensor, a_t: Tensor
    ) -> Tensor:
        """Return rₜ + discountₜ · Z(sₜ, aₜ), `[..., size]`."""
        z_t = outputs_t.gather(-1, output_index(a_t, self.size))  # [..., size]
        return self.bootstrap(r_t.unsqueeze(-1), discount_t.unsqueeze(-1), z_t)

    def q_learning_target(
        self,
        r_t: Tensor,
        discount_t: Tensor,
        outputs_t: Tensor,
        mask_t: Tensor | None = None,
    ) -> Tensor:
        """Return rₜ + discountₜ · Z(sₜ, argmaxₐ E Z(sₜ, a)), `[..., size]`."""
        return self.double_q_learning_target(r_t, discount_t, outputs_t, outputs_t, mask_t)

    def double_q_learning_target(
        self,
        r_t: Tensor,
        discount_t: Tensor,
        outputs_t: Tensor,
        selector_t: Tensor,
        mask_t: Tensor | None = None,
    ) -> Tensor:
        """Return rₜ + discountₜ · Z(sₜ, argmaxₐ E Z_selector(sₜ, a)), `[..., size]`."""
        a_t = masked(self.values(selector_t), mask_t).argmax(dim=-1)
        return self.sarsa_target(r_t, discount_t, outputs_t, a_t)


class CategoricalReturn(ReturnDistribution):
    """Logits of Z returns zᵢ, evenly spaced: C51 (Bellemare, Dabney & Munos, 2017).

    Minimises KL(m ‖ softmax(logits)), m being the target's projection to the returns zᵢ.

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
        """Return Σ pᵢ zᵢ for each action, `[..., A]`."""
        return outputs.unflatten(-1, (-1, self.size)).softmax(dim=-1) @ self.support

    def bootstrap(self, r_t: Tensor, discount_t: Tensor, z_t: Tensor) -> Tensor:
        """Return the probabilities m `[..., Z]` of rₜ + discountₜ · Z, projected to the support."""
        returns = torch.addcmul(r_t, discount_t, self.support)  # [..., Z]
        return categorical_projection(returns, z_t.softmax(dim=-1), self.low, self.high)

    def loss(self, prediction: Tensor, target: Tensor) -> tuple[Loss, Tensor]:
        """Return the divergence from target to prediction, as loss and as error."""
        loss = categorical_divergence(prediction, target)
        return loss, loss.value


class QuantileReturn(ReturnDistribution):
    """N quantiles θᵢ of the return: QR-DQN (Dabney et al., 2018).

    Minimises the quantile Huber loss, whose minimum is at the τᵢ-quantiles of the target.

    Args:
        quantiles: their number N.
    """

    error_name = "quantile_loss"

    def __init__(self, quantiles: int) -> None:
        self.size = quantiles

    def values(self, outputs: Tensor) -> Tensor:
        """Return the mean of the quantiles for each action, `[..., A]`."""
        return outputs.unflatten(-1, (-1, self.size)).mean(dim=-1)

    def bootstrap(self, r_t: Tensor, discount_t: Tensor, z_t: Tensor) -> Tensor:
        """Return the quantiles of rₜ + discountₜ · Z, `[..., N]`."""
        return torch.addcmul(r_t, discount_t, z_t)

    def loss(self, prediction: Tensor, target: Tensor) -> tuple[Loss, Tensor]:
        """Return the quantile Huber loss, as loss and as error."""
        loss = quantile_huber(prediction, target)
        return loss, loss.value
