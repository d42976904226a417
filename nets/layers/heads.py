"""What stands at the end of a network: action values, policies, values, bounded outputs.

Regression, binary and multiclass outputs (N-HEAD-01 to N-HEAD-03) are plain `MLP` outputs: train
them on the raw output, the logit or the logits.
"""

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from ..arguments import checked
from ..inputs import explained
from ..keywords import Keywords
from ..kinds import Count
from .activations import ActivationSpec
from .distributions import Categorical, Gaussian, TanhGaussian, bounded
from .init import InitSpec, init_layer_
from .mlp import MLP

Bound: TypeAlias = float | Sequence[float] | Tensor


@explained
def dueling(value: Tensor, advantage: Tensor, dim: int = -1) -> Tensor:
    """Combine V `[..., 1]` and A `[..., A]`: Q(s, a) = V(s) + A(s, a) - mean_b A(s, b).

    The mean of Q over actions, which are dimension `dim`, is V (Wang et al., 2016; N-HEAD-05).
    """
    return value + (advantage - advantage.mean(dim, keepdim=True))  # [..., A]


class DuelingHead(nn.Module, Keywords):
    """Action values from a value stream and an advantage stream (N-HEAD-05).

    Args:
        in_features: size of the features.
        num_actions: number of discrete actions A.
        atoms: outputs Z per action, those of a distribution of returns.
        hidden: sizes of the hidden layers of *each* stream.
        activation: see `nets.MLP`.
        init: see `nets.MLP`.
    """

    @checked
    def __init__(
        self,
        in_features: Count,
        num_actions: Count,
        *,
        atoms: Count = 1,
        hidden: Sequence[int] = (),
        activation: ActivationSpec = "relu",
        init: InitSpec = None,
    ) -> None:
        super().__init__()
        self.out_features = num_actions * atoms
        self.atoms = atoms
        self.value = MLP(in_features, hidden, atoms, activation=activation, init=init)
        self.advantage = MLP(
            in_features, hidden, self.out_features, activation=activation, init=init
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map features `[..., in_features]` to values `[..., A * Z]`, those of an action together.

        Each atom has its V and its A (Hessel et al., 2018).
        """
        value = self.value(features).unsqueeze(-2)  # [..., 1, Z]
        advantage = self.advantage(features).unflatten(-1, (-1, self.atoms))  # [..., A, Z]
        return dueling(value, advantage, dim=-2).flatten(-2)


class ValueHead(nn.Module, Keywords):
    """One linear unit whose output is V(s) `[...]`, without a last dimension of 1 (N-HEAD-05)."""

    @checked
    def __init__(self, in_features: Count, *, init: InitSpec = None, gain: float = 1.0) -> None:
        super().__init__()
        self.linear = _linear(in_features, 1, init, gain)

    def forward(self, features: Tensor) -> Tensor:
        """Map features `[..., in_features]` to values `[...]`."""
        return self.linear(features).squeeze(-1)


class CategoricalHead(nn.Module, Keywords):
    """A policy over discrete actions (N-HEAD-05).

    Args:
        in_features: size of the features.
        num_actions: number of actions.
        init: see `nets.MLP`.
        gain: gain of `init`; a small one starts the policy nearly uniform.
    """

    @checked
    def __init__(
        self, in_features: Count, num_actions: Count, *, init: InitSpec = None, gain: float = 0.01
    ) -> None:
        super().__init__()
        self.logits = _linear(in_features, num_actions, init, gain)

    def forward(self, features: Tensor) -> Categorical:
        """Map features `[..., in_features]` to a distribution over `num_actions` actions."""
        return Categorical(self.logits(features))


class GaussianHead(nn.Module, Keywords):
    """A policy over unbounded actions, its log σ a parameter that ignores the state (N-HEAD-05).

    Args:
        in_features: size of the features.
        action_size: number of action dimensions D.
        log_std: initial log σ of every dimension.
        init: see `nets.MLP`.
        gain: gain of `init`.
    """

    @checked
    def __init__(
        self,
        in_features: Count,
        action_size: Count,
        *,
        log_std: float = 0.0,
        init: InitSpec = None,
        gain: float = 0.01,
    ) -> None:
        super().__init__()
        self.mean = _linear(in_features, action_size, init, gain)
        self.log_std = nn.Parameter(torch.full((action_size,), float(log_std)))  # [D]

    def forward(self, features: Tensor) -> Gaussian:
        """Map features `[..., in_features]` to a distribution over actions `[..., D]`."""
        return Gaussian(self.mean(features), self.log_std)


class TanhGaussianHead(nn.Module, Keywords):
    """A policy over actions in [low, high], μ and log σ both from the features (N-HEAD-05).

    Log σ moves smoothly within `log_std_range`: a hard clamp would leave it without a gradient.

    Args:
        in_features: size of the features.
        action_size: number of action dimensions D.
        low: lower bounds, a number or `[D]`.
        high: upper bounds, a number or `[D]`.
        log_std_range: the interval of log σ.
        init: see `nets.MLP`.
        gain: gain of `init`.

    Raises:
        ValueError: if the bounds are not finite with low < high.
    """

    @checked
    def __init__(
        self,
        in_features: Count,
        action_size: Count,
        low: Bound = -1.0,
        high: Bound = 1.0,
        *,
        log_std_range: tuple[float, float] = (-5.0, 2.0),
        init: InitSpec = None,
        gain: float = 0.01,
    ) -> None:
        super().__init__()
        self.mean = _linear(in_features, action_size, init, gain)
        self.log_std = nn.Sequential(
            _linear(in_features, action_size, init, gain), Bounded(*log_std_range)
        )
        self.squash = Bounded(_vector(low, action_size), _vector(high, action_size))

    def forward(self, features: Tensor) -> TanhGaussian:
        """Map features `[..., in_features]` to a distribution over actions `[..., D]`."""
        mean, log_std = self.mean(features), self.log_std(features)  # [..., D] each
        return TanhGaussian(mean, log_std, self.squash.low, self.squash.high)


class Bounded(nn.Module, Keywords):
    """Squash x to low + (high - low)(tanh x + 1)/2, never outside [low, high] (N-HEAD-04).

    Args:
        low: lower bounds, a number or anything that broadcasts against x.
        high: upper bounds.

    Raises:
        ValueError: if the bounds are not finite with low < high.
    """

    low: Tensor
    high: Tensor

    def __init__(self, low: Bound = -1.0, high: Bound = 1.0) -> None:
        super().__init__()
        dtype = torch.get_default_dtype()
        below, above = torch.as_tensor(low, dtype=dtype), torch.as_tensor(high, dtype=dtype)
        if below.device.type != "meta" and not (
            torch.all(below < above) and (above - below).isfinite().all()
        ):
            raise ValueError(f"bounds must be finite with low < high, got [{low}, {high}]")
        self.register_buffer("low", below)
        self.register_buffer("high", above)

    def forward(self, x: Tensor) -> Tensor:
        """Squash `x` of any shape."""
        return bounded(x, self.low, self.high)


def _vector(bound: Bound, size: int) -> Tensor:
    return torch.as_tensor(bound, dtype=torch.get_default_dtype()).expand(size).clone()


def _linear(in_features: int, out_features: int, init: InitSpec, gain: float) -> nn.Linear:
    layer = nn.Linear(in_features, out_features)
    init_layer_(layer, init, gain=gain)
    return layer
