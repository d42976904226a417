"""What stands at the end of a network: action values, policies, values."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from .activations import ActivationSpec
from .init import InitSpec
from .mlp import MLP


def dueling(value: Tensor, advantage: Tensor) -> Tensor:
    """Combine V ``[..., 1]`` and A ``[..., A]``: Q(s, a) = V(s) + A(s, a) - mean_b A(s, b).

    The mean of Q over actions is V (Wang et al., 2016; N-HEAD-05).
    """
    return value + advantage - advantage.mean(-1, keepdim=True)  # [..., A]


class DuelingHead(nn.Module):
    """Action values from a value stream and an advantage stream (N-HEAD-05).

    Args:
        in_features: size of the features.
        num_actions: number of discrete actions.
        hidden: sizes of the hidden layers of *each* stream.
        activation: see :class:`nets.MLP`.
        init: see :class:`nets.MLP`.
    """

    def __init__(
        self,
        in_features: int,
        num_actions: int,
        *,
        hidden: Sequence[int] = (),
        activation: ActivationSpec = "relu",
        init: InitSpec = None,
    ) -> None:
        super().__init__()
        self.value = MLP(in_features, hidden, 1, activation=activation, init=init)
        self.advantage = MLP(in_features, hidden, num_actions, activation=activation, init=init)
        self.out_features = num_actions

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``[..., in_features]`` to action values ``[..., num_actions]``."""
        return dueling(self.value(features), self.advantage(features))
