"""Regularisation: penalties on weights and activities, and noise (curriculum N-REG)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import torch
from torch import Tensor, nn

from ..arguments import checked, named
from ..glance import Shown
from ..gradients.optim import parameter_groups
from ..keywords import Keywords


def decaying(module: nn.Module) -> Iterator[Tensor]:
    """Yield the weights that penalties are about: no biases, norms or PReLU slopes (N-REG-01)."""
    for group in parameter_groups(module, 1.0):
        if group["weight_decay"]:
            for _, parameter in group["params"]:
                yield parameter


@named
def penalty(module: nn.Module, *, l1: float = 0.0, l2: float = 0.0) -> Tensor:
    """Return Ω = l1·Σ|w| + l2·Σw² over the weights of `module`, to be added to a loss (N-REG-06).

    There is no ½: `l2` is half the α of the form ½α‖w‖², and half of the `weight_decay` α that
    gives plain SGD the same steps (N-REG-02, N-REG-03). A sum over m examples with λ/(2m)·‖W‖² has
    l2 = λ/(2m).

    Args:
        module: whose weights count, see `decaying`.
        l1: weight of the absolute values; see `soft_threshold_` for zeros that are exact.
        l2: weight of the squares.

    Raises:
        ValueError: if a weight is negative.
    """
    for name, value in (("l1", l1), ("l2", l2)):
        if value < 0.0:
            raise ValueError(f"{name} must not be negative, got {value}")
    total = torch.zeros((), device=next(iter(module.parameters())).device)
    for weight in decaying(module) if l1 or l2 else ():
        if l1:
            total = total + l1 * weight.abs().sum()
        if l2:
            total = total + l2 * weight.square().sum()
    return total


@torch.no_grad()
def soft_threshold_(module: nn.Module, threshold: float) -> None:
    """Move the weights towards 0 by `threshold`, and no further: w ← sign(w)·max(|w| − t, 0).

    Called after each step of gradient descent with t = learning rate · l1, it minimises the loss
    plus l1·Σ|w| with weights of exactly 0; a plain subgradient swings around 0 (N-REG-04).
    Daubechies, Defrise & De Mol (2004).

    Raises:
        ValueError: if `threshold` is negative.
    """
    if threshold < 0.0:
        raise ValueError(f"threshold must not be negative, got {threshold}")
    for weight in decaying(module):
        weight.copy_(nn.functional.softshrink(weight, threshold))


def count_nonzero(module: nn.Module) -> int:
    """Return ‖w‖₀, the number of weights that are not 0: to look at, not to train (N-REG-05)."""
    return sum(int(weight.count_nonzero()) for weight in decaying(module))


class ActivityPenalty(Shown, Keywords):
    """Sum what layers put out, l1·Σ|a| + l2·Σa², averaged over the batch (N-REG-07).

    The term of the passes since the last call of `take` is added to a loss:

        activities = ActivityPenalty(network[1], l1=1e-4)
        loss = criterion(network(x), y) + activities.take()

    Used as a context, it lets go of the layers at the end.

    Args:
        *layers: whose outputs `[B, ...]` count.
        l1: weight of the absolute values.
        l2: weight of the squares.

    Raises:
        ValueError: if there is no layer, or a weight is negative.
    """

    @checked
    def __init__(self, *layers: nn.Module, l1: float = 0.0, l2: float = 0.0) -> None:
        if not layers:
            raise ValueError("give at least one layer")
        if l1 < 0.0 or l2 < 0.0:
            raise ValueError(f"l1 and l2 must not be negative, got {l1} and {l2}")
        self.l1, self.l2 = l1, l2
        self._terms: list[Tensor] = []
        self._layers = len(layers)
        self._hooks = [layer.register_forward_hook(self._see) for layer in layers]

    @property
    def facts(self) -> dict[str, Any]:
        """How many layers count, and their weights."""
        return {"layers": self._layers, "l1": self.l1, "l2": self.l2}

    def take(self) -> Tensor:
        """Return the sum of the terms since the last call, and forget them.

        Raises:
            RuntimeError: if the layers have not been called since.
        """
        if not self._terms:
            raise RuntimeError("the layers have not been called: run the network first")
        terms, self._terms = self._terms, []
        return torch.stack(terms).sum()

    def remove(self) -> None:
        """Let go of the layers."""
        for hook in self._hooks:
            hook.remove()

    def _see(self, layer: nn.Module, inputs: object, output: Tensor) -> None:
        total = self.l1 * output.abs().sum() + self.l2 * output.square().sum()
        self._terms.append(total / len(output))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


class GaussianNoise(nn.Module, Keywords):
    """Add σ·ε, ε ~ N(0, I), in training; do nothing in evaluation (N-REG-11).

    Before the first layer it dirties the data, between two layers the features.

    Args:
        std: σ, in units of the input.

    Raises:
        ValueError: if σ is negative.
    """

    @checked
    def __init__(self, std: float) -> None:
        super().__init__()
        if std < 0.0:
            raise ValueError(f"std must not be negative, got {std}")
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` `[...]` with noise, or as it is."""
        return x + self.std * torch.randn_like(x) if self.training and self.std else x

    def extra_repr(self) -> str:
        """Show σ."""
        return f"std={self.std}"
