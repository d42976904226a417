"""How the outputs of a policy network become actions of a space.

A choice is what the distribution is over: for Box the number before it is brought between the
bounds. Probabilities are those of choices, so nothing that happens on the way to the environment
disturbs them. Choices are drawn in NumPy, from the agent's own generator, on any device. What is
most probable, and which action a choice stands for, is written once for NumPy, in which agents act,
and for torch, in which they are exported.
"""

from abc import ABC, abstractmethod
from typing import Any, Protocol, TypeVar

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Independent

from nets.layers.distributions import Categorical, Gaussian

from ..environments.spaces import holds_floats
from ..equations.exploration import boltzmann
from ..loop.experience import Array

Rows = TypeVar("Rows", Array, Tensor)


def library(rows: Array | Tensor) -> Any:
    """Return what computes with `rows`: NumPy or torch."""
    return np if isinstance(rows, np.ndarray) else torch


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


class CategoricalActions(ActionModel):
    """One of A actions: the outputs are logits."""

    def __init__(self, space: gym.spaces.Discrete) -> None:
        super().__init__()
        self.size, self.start = int(space.n), int(space.start)

    def distribution(self, outputs: Tensor) -> Categorical:
        """Return the categorical distribution."""
        return Categorical(outputs)

    def slope(
        self,
        outputs: Tensor,
        distribution: Categorical,
        choice: Tensor,
        log_prob: Tensor,
        entropy: Tensor | None,
    ) -> Tensor:
        """Return dL/dz by d(log π(a))/dz = 1ₐ − π and dH/dz = −π ⊙ (log π + H)."""
        slope = distribution.probs * -log_prob.unsqueeze(-1)  # [..., A]
        slope.scatter_add_(-1, choice.unsqueeze(-1), log_prob.unsqueeze(-1))
        if entropy is not None:
            surprise = distribution.log_probs + distribution.entropy().unsqueeze(-1)
            slope -= distribution.probs * surprise * entropy.unsqueeze(-1)
        return slope

    def sample(self, outputs: Array, rng: np.random.Generator) -> Array:
        """Draw indices `[N]`."""
        return boltzmann(outputs, 1.0, rng)

    def mode(self, outputs: Rows) -> Rows:
        """Return the indices `[N]` of the largest logits."""
        return outputs.argmax(-1)

    def to_space(self, choice: Rows) -> Rows:
        """Count from the space's first action."""
        return choice + self.start


class Product:
    """Independent distributions side by side: choices `[..., K]`, one of each."""

    def __init__(self, parts: list[Categorical]) -> None:
        self.parts = parts

    def log_prob(self, choice: Tensor, /) -> Tensor:
        """Return Σ_k log π_k(choice_k) `[...]`."""
        choices = zip(self.parts, choice.unbind(-1), strict=True)
        return torch.stack([part.log_prob(one) for part, one in choices]).sum(0)

    def entropy(self) -> Tensor:
        """Return the sum of the entropies `[...]`."""
        return torch.stack([part.entropy() for part in self.parts]).sum(0)


class MultiCategoricalActions(ActionModel):
    """K independent choices among A_k actions: the outputs are all logits, one after another."""

    def __init__(self, space: gym.spaces.MultiDiscrete) -> None:
        super().__init__()
        self.sizes = [int(n) for n in space.nvec.flat]
        self.size = sum(self.sizes)
        self.ends = np.cumsum(self.sizes).tolist()
        self.start, self.shape = space.start, space.shape

    def distribution(self, outputs: Tensor) -> Product:
        """Return the product of K categorical distributions."""
        return Product([Categorical(logits) for logits in outputs.split(self.sizes, dim=-1)])

    def sample(self, outputs: Array, rng: np.random.Generator) -> Array:
        """Draw indices `[N, K]`."""
        return np.stack([boltzmann(logits, 1.0, rng) for logits in self._split(outputs)], axis=1)

    def mode(self, outputs: Rows) -> Rows:
        """Return the indices `[N, K]` of the largest logits."""
        return library(outputs).stack([logits.argmax(-1) for logits in self._split(outputs)], -1)

    def to_space(self, choice: Rows) -> Rows:
        """Count from the space's first actions, in its shape."""
        return choice.reshape(-1, *self.shape) + library(choice).asarray(self.start)

    def _split(self, outputs: Rows) -> list[Rows]:
        spans = zip(self.ends, self.sizes, strict=True)
        return [outputs[:, end - size : end] for end, size in spans]


class BernoulliActions(ActionModel):
    """K independent coins: the outputs are the logits of 1."""

    def __init__(self, space: gym.spaces.MultiBinary) -> None:
        super().__init__()
        self.shape = space.shape
        self.size = int(np.prod(space.shape))

    def distribution(self, outputs: Tensor) -> Distribution:
        """Return the product of K Bernoulli distributions, over numbers 0.0 and 1.0."""
        return Independent(Bernoulli(logits=outputs, validate_args=False), 1, validate_args=False)

    def sample(self, outputs: Array, rng: np.random.Generator) -> Array:
        """Draw coins `[N, K]`: a logistic number below the logit is a 1."""
        return (rng.logistic(size=outputs.shape) < outputs).astype(np.float32)

    def mode(self, outputs: Rows) -> Rows:
        """Return the likelier sides `[N, K]`."""
        xp = library(outputs)
        return xp.asarray(outputs > 0.0, dtype=xp.float32)

    def to_space(self, choice: Rows) -> Rows:
        """Return the coins as int8 in the space's shape."""
        xp = library(choice)
        return xp.asarray(choice.reshape(-1, *self.shape), dtype=xp.int8)


class GaussianActions(ActionModel):
    """Gaussian choices x in units of the space: a = centre + half-width · x, brought within.

    Without `squash` x is cut to [−1, 1]; with it, a = centre + half-width · tanh x, which makes the
    action a tanh-Gaussian: the log-determinant of tanh does not depend on the policy, so that
    ratios and gradients of log π are those of x. Unbounded dimensions are left alone. Log σ is a
    parameter that ignores the state (curriculum N-HEAD-05).

    Raises:
        ValueError: `squash` in a dimension without bounds.
    """

    def __init__(self, space: gym.spaces.Box, squash: bool = False, log_std: float = 0.0) -> None:
        super().__init__()
        self.shape, self.dtype, self.squash = space.shape, str(space.dtype), squash
        self.size = int(np.prod(space.shape))
        low, high = (bound.ravel().astype(np.float64) for bound in (space.low, space.high))
        bounded = np.isfinite(low) & np.isfinite(high)
        if squash and not bounded.all():
            raise ValueError(f"squash needs finite bounds, but the actions are {space}")
        with np.errstate(invalid="ignore", over="ignore"):
            centre = np.where(bounded, (low + high) / 2, 0.0)
            half_width = np.where(bounded, (high - low) / 2, 1.0)
        self.units = np.stack([centre, half_width, low, high])  # [4, D]
        self.log_std = nn.Parameter(torch.full((self.size,), float(log_std)))  # [D]

    def distribution(self, outputs: Tensor) -> Gaussian:
        """Return the Gaussian around `outputs`; it stays as it is when the parameter is updated."""
        return Gaussian(outputs, self.log_std.clone())

    def sample(self, outputs: Array, rng: np.random.Generator) -> Array:
        """Draw numbers `[N, D]`."""
        std = self.log_std.detach().exp().cpu().numpy()
        return outputs + std * rng.standard_normal(outputs.shape, np.float32)

    def mode(self, outputs: Rows) -> Rows:
        """Return the means `[N, D]`."""
        return outputs

    def to_space(self, choice: Rows) -> Rows:
        """Scale, shift, and bring between the bounds."""
        xp = library(choice)
        centre, half_width, low, high = xp.asarray(self.units)
        unit = xp.tanh(choice) if self.squash else choice
        action = (centre + half_width * unit).clip(low, high)
        return xp.asarray(action.reshape(-1, *self.shape), dtype=getattr(xp, self.dtype))


def action_model(space: gym.Space, *, squash: bool = False, log_std: float = 0.0) -> ActionModel:
    """Return the model of the actions of `space`.

    Args:
        space: Discrete, MultiDiscrete, MultiBinary, or Box of floats.
        squash: whether actions of a Box pass through tanh.
        log_std: initial log σ of a Box's choices, in units of half its width.

    Raises:
        TypeError: the space is of another kind.
        ValueError: `squash` in a dimension without bounds.
    """
    match space:
        case gym.spaces.Discrete():
            return CategoricalActions(space)
        case gym.spaces.MultiDiscrete():
            return MultiCategoricalActions(space)
        case gym.spaces.MultiBinary():
            return BernoulliActions(space)
        case gym.spaces.Box() if holds_floats(space):
            return GaussianActions(space, squash, log_std)
    expected = "Discrete, MultiDiscrete, MultiBinary or a Box of floats"
    raise TypeError(f"cannot act in {space}: expected {expected}")
