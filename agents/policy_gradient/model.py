"""How the outputs of a policy network become actions of a space.

A choice is what the distribution is over: for Box the number before it is brought between the
bounds. Probabilities are those of choices, so nothing that happens on the way to the environment
disturbs them. Choices are drawn in NumPy, from the agent's own generator, on any device. What is
most probable, and which action a choice stands for, is written once for NumPy, in which agents act,
and for torch, in which they are exported.
"""

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ..equations.masks import Rows
from ..loop.experience import Array


class Distribution(Protocol):
    """A distribution over choices."""

    def log_prob(self, choice: Tensor, /) -> Tensor:
        """Return log π of choices `[...]`."""

    def entropy(self) -> Tensor:
        """Return the entropy `[...]`."""


class ActionModel(nn.Module, ABC):
    """Network outputs `[..., size]` as a distribution over the actions of one space."""

    size: int

    @abstractmethod
    def distribution(self, outputs: Tensor) -> Distribution:
        """Return the distribution that `outputs` `[..., size]` describe."""

    def slope(
        self,
        outputs: Tensor,
        distribution: Any,
        choice: Tensor,
        log_prob: Tensor,
        entropy: Tensor | None,
    ) -> Tensor:
        """Return dL/d(outputs) `[..., size]`; gradients of own parameters are added to theirs.

        Args:
            outputs: `[..., size]`.
            distribution: what they describe.
            choice: what was chosen.
            log_prob: dL/d(log π(choice)), `[...]`.
            entropy: dL/d(entropy), `[...]`; None is 0.
        """
        outputs = outputs.detach().requires_grad_()
        with torch.enable_grad():
            distribution = self.distribution(outputs)  # anew, with a graph
            pulled, slopes = [distribution.log_prob(choice)], [log_prob]
            if entropy is not None:
                pulled, slopes = [*pulled, distribution.entropy()], [*slopes, entropy]
        torch.autograd.backward(pulled, slopes)
        return outputs.grad  # type: ignore[return-value]

    @abstractmethod
    def sample(self, outputs: Array, rng: np.random.Generator) -> Array:
        """Draw choices for outputs `[N, size]`."""

    @abstractmethod
    def mode(self, outputs: Rows) -> Rows:
        """Return the most probable choices for outputs `[N, size]`."""

    @abstractmethod
    def to_space(self, choice: Rows) -> Rows:
        """Return the actions `[N, *action]` that N choices stand for."""
