"""The model of the actions of any space, and that of continuous ones."""

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from nets.layers.distributions import Gaussian

from ..environments.spaces import holds_floats
from ..equations.masks import Rows, library
from ..loop.experience import Array
from .discrete import BernoulliActions, CategoricalActions, MultiCategoricalActions
from .model import ActionModel


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
