"""Back-propagation: by autograd for any network, by the four equations for a plain MLP.

A small dense network spends more time in autograd's bookkeeping than in its matrix products.
Writing the backward pass out halves the time of an update, and gives the same gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .flat import flatten_parameters

_tanh, _sigmoid = torch.ops.aten.tanh_backward, torch.ops.aten.sigmoid_backward
_threshold = torch.ops.aten.threshold_backward

# (dL/dA, A) -> dL/dZ for A = g(Z), where the derivative g'(Z) is a function of A
DERIVATIVES: dict[type[nn.Module], Callable[[Tensor, Tensor], Tensor]] = {
    nn.ReLU: lambda gradient, output: _threshold(gradient, output, 0),
    nn.Tanh: _tanh,
    nn.Sigmoid: _sigmoid,
}


class Backprop(Protocol):
    """A network whose gradients are asked for step by step."""

    weights: nn.Parameter
    """All parameters as one vector `[P]`, whose gradient `backward` fills."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs `[B, out]`, remembering what `backward` needs."""

    def backward(self, gradient: Tensor) -> None:
        """Set the gradient of `weights`, given dL/d(output) `[B, out]` of the last `forward`."""


class AutogradBackprop:
    """Any network, by autograd."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.weights = flatten_parameters(network)
        self._parameters = [p for p in network.parameters() if p.requires_grad]
        self._output = torch.empty(0)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs `[B, out]`."""
        with torch.enable_grad():
            self._output = self.network(x)
        return self._output.detach()

    def backward(self, gradient: Tensor) -> None:
        """Set the gradient of `weights`."""
        fresh = torch.autograd.grad(
            self._output, self._parameters, gradient, materialize_grads=True
        )
        torch._foreach_copy_([p.grad for p in self._parameters], fresh)  # type: ignore[misc]


class DenseBackprop:
    """A chain of dense layers, by the equations (curriculum N-LIN-05), rows of X being samples.

    Zₗ = Aₗ₋₁ Wₗᵀ + bₗ, Aₗ = g(Zₗ); backwards dZₗ = dAₗ ⊙ g'(Zₗ), dWₗ = dZₗᵀ Aₗ₋₁, dbₗ = Σ dZₗ,
    dAₗ₋₁ = dZₗ Wₗ. The gradients are written straight into the parameters' own.
    """

    def __init__(self, network: nn.Module) -> None:
        self.weights = flatten_parameters(network)
        self._layers: list[tuple[Tensor, Tensor | None, nn.Module | None]] = []
        for module in network.modules():
            if isinstance(module, nn.Linear):
                self._layers.append((module.weight, module.bias, None))
            elif type(module) in DERIVATIVES:
                self._layers[-1] = (*self._layers[-1][:2], module)
        self._inputs: list[Tensor] = []
        self._outputs: list[Tensor] = []

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs `[B, out]`."""
        self._inputs, self._outputs = [], []
        for weight, bias, activation in self._layers:
            self._inputs.append(x)
            x = F.linear(x, weight, bias)
            if activation is not None:
                x = activation.forward(x)
            self._outputs.append(x)
        return x

    @torch.no_grad()
    def backward(self, gradient: Tensor) -> None:
        """Set the gradient of `weights`."""
        for index in range(len(self._layers) - 1, -1, -1):
            weight, bias, activation = self._layers[index]
            if activation is not None:
                gradient = DERIVATIVES[type(activation)](gradient, self._outputs[index])
            torch.mm(gradient.t(), self._inputs[index], out=weight.grad)
            if bias is not None:
                torch.sum(gradient, 0, out=bias.grad)
            if index:
                gradient = gradient.mm(weight)


def backprop(network: nn.Module) -> Backprop:
    """Return the fastest way to the gradients of `network`, whose parameters it flattens."""
    return DenseBackprop(network) if _is_dense(network) else AutogradBackprop(network)


def _is_dense(network: nn.Module) -> bool:
    """Whether `network` is a chain of dense layers, each with at most one known activation."""
    after_linear = False
    for module in network.modules():
        if isinstance(module, nn.Linear):
            after_linear = True
        elif type(module) in DERIVATIVES:
            if not after_linear:
                return False
            after_linear = False
        elif not isinstance(module, nn.Sequential):
            return False
    return True
