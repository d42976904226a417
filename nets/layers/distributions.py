"""Distributions over actions: what a policy head returns.

They compute what `torch.distributions` computes, without its argument checks and broadcasting:
drawing and scoring an action takes a third to a sixth of the time. `sample` carries no gradient,
`rsample` is differentiable.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ..glance import Shown


class Categorical(Shown):
    """A distribution over discrete actions; actions with logit -∞ never occur (N-HEAD-05).

    Args:
        logits: unnormalised log-probabilities `[..., A]`.
    """

    def __init__(self, logits: Tensor) -> None:
        self.log_probs = F.log_softmax(logits, dim=-1)  # [..., A]

    @property
    def facts(self) -> dict[str, Any]:
        """How many distributions there are, over how many actions."""
        *batch, actions = self.log_probs.shape
        return {"batch": tuple(batch), "actions": actions}

    @property
    def probs(self) -> Tensor:
        """Probabilities `[..., A]`."""
        return self.log_probs.exp()

    def log_prob(self, action: Tensor) -> Tensor:
        """Return log π(a) `[...]` of integer actions `[...]`."""
        return self.log_probs.gather(-1, action.unsqueeze(-1)).squeeze(-1)

    def entropy(self) -> Tensor:
        """Return -Σ π log π `[...]`, with 0·log 0 = 0."""
        finite = self.log_probs.clamp(min=torch.finfo(self.log_probs.dtype).min)
        return -(self.probs * finite).sum(-1)

    @torch.no_grad()
    def sample(self, generator: Generator | None = None) -> Tensor:
        """Draw actions `[...]`: the winner of a race of exponential clocks at rates π."""
        clocks = torch.empty_like(self.log_probs).exponential_(generator=generator)
        return (self.log_probs - clocks.log()).argmax(-1)

    def mode(self) -> Tensor:
        """Return the most probable actions `[...]`."""
        return self.log_probs.argmax(-1)


class Gaussian(Shown):
    """A Gaussian with diagonal covariance, summed over the last dimension (N-HEAD-05).

    Args:
        mean: μ `[..., D]`.
        log_std: log σ, `[..., D]` or `[D]`.
    """

    def __init__(self, mean: Tensor, log_std: Tensor) -> None:
        self.mean = mean
        self.log_std = log_std.expand_as(mean)  # [..., D]

    @property
    def facts(self) -> dict[str, Any]:
        """How many distributions there are, of how many dimensions."""
        *batch, dimensions = self.mean.shape
        return {"batch": tuple(batch), "dimensions": dimensions}

    def log_prob(self, action: Tensor) -> Tensor:
        """Return Σ_d -((a - μ)/σ)²/2 - log σ - log(2π)/2 `[...]` of actions `[..., D]`."""
        z = (action - self.mean) * torch.exp(-self.log_std)  # [..., D]
        return _standard_log_density(z, self.log_std)

    def entropy(self) -> Tensor:
        """Return Σ_d log σ + (1 + log 2π)/2 `[...]`."""
        return (self.log_std + 0.5 * (1.0 + math.log(2.0 * math.pi))).sum(-1)

    @torch.no_grad()
    def sample(self, generator: Generator | None = None) -> Tensor:
        """Draw actions `[..., D]`."""
        return self.rsample(generator)

    def rsample(self, generator: Generator | None = None) -> Tensor:
        """Draw actions μ + σε `[..., D]`, differentiable in μ and σ."""
        return self.mean + self.log_std.exp() * _noise(self.mean, generator)

    def mode(self) -> Tensor:
        """Return μ `[..., D]`."""
        return self.mean


class TanhGaussian(Shown):
    """A diagonal Gaussian u squashed into (low, high): a = low + (high - low)(tanh u + 1)/2.

    By the change of variables log π(a) = log N(u; μ, σ²) - Σ_d log|da/du|, where
    log|da/du| = log((high - low)/2) + 2(log 2 - u - softplus(-2u)), which is stable for every u
    (Haarnoja et al., 2018, appendix C; N-HEAD-05). Its entropy has no closed form: average
    -log π over samples.

    Args:
        mean: μ `[..., D]`.
        log_std: log σ, `[..., D]` or `[D]`.
        low: lower bounds `[D]`, finite.
        high: upper bounds `[D]`, finite.
    """

    def __init__(self, mean: Tensor, log_std: Tensor, low: Tensor, high: Tensor) -> None:
        self.base = Gaussian(mean, log_std)
        self.low = low
        self.high = high

    @property
    def facts(self) -> dict[str, Any]:
        """How many distributions there are, of how many dimensions."""
        return self.base.facts

    def log_prob(self, action: Tensor) -> Tensor:
        """Return log π `[...]` of actions `[..., D]` in [low, high].

        Actions at a bound, where rounding has destroyed u, count as the nearest that can be told
        from it; for a fresh sample `rsample_with_log_prob` is exact.
        """
        margin = torch.finfo(action.dtype).eps
        squashed = 2.0 * (action - self.low) / (self.high - self.low) - 1.0  # [..., D]
        return self._log_prob_of(squashed.clamp(-1.0 + margin, 1.0 - margin).atanh())

    def rsample_with_log_prob(self, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw actions `[..., D]`, differentiable in μ and σ, with their log π `[...]`."""
        u = self.base.rsample(generator)  # [..., D]
        return bounded(u, self.low, self.high), self._log_prob_of(u)

    def rsample(self, generator: Generator | None = None) -> Tensor:
        """Draw actions `[..., D]`, differentiable in μ and σ."""
        return bounded(self.base.rsample(generator), self.low, self.high)

    @torch.no_grad()
    def sample(self, generator: Generator | None = None) -> Tensor:
        """Draw actions `[..., D]`."""
        return self.rsample(generator)

    def mode(self) -> Tensor:
        """Return the squashed μ `[..., D]`: the median, which stands for the mode in practice."""
        return bounded(self.base.mean, self.low, self.high)

    def _log_prob_of(self, u: Tensor) -> Tensor:
        log_det = torch.log(0.5 * (self.high - self.low)) + 2.0 * (
            math.log(2.0) - u - F.softplus(-2.0 * u)
        )  # [..., D]
        return self.base.log_prob(u) - log_det.sum(-1)


def bounded(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Squash x ∈ ℝ to low + (high - low)(tanh x + 1)/2, never outside [low, high] (N-HEAD-04)."""
    return torch.lerp(low, high, torch.sigmoid(2.0 * x))  # (tanh x + 1)/2 = σ(2x)


def _standard_log_density(z: Tensor, log_std: Tensor) -> Tensor:
    """Sum the log-density of standardised values z `[..., D]` over the last dimension."""
    return -(0.5 * z * z + log_std + 0.5 * math.log(2.0 * math.pi)).sum(-1)


def _noise(like: Tensor, generator: Generator | None) -> Tensor:
    return torch.empty_like(like).normal_(generator=generator)
