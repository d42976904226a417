"""Actions of discrete spaces: one of several, several of several, and coins.

Logits that a mask has put to the lowest number are of actions that never occur.
"""

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Independent

from nets.layers.distributions import Categorical

from ..equations.exploration import boltzmann
from ..equations.masks import Rows, library
from ..loop.experience import Array
from .model import ActionModel, Distribution


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
        return choice + self.start if self.start else choice


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
