"""Back-propagation: by autograd for any network, by the four equations for a plain MLP.

A small dense network spends more time in autograd's bookkeeping than in its matrix products.
Writing the backward pass out halves the time of an update, and gives the same gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn

from .flat import flatten_parameters

_tanh = torch.ops.aten.tanh_backward.grad_input
_sigmoid = torch.ops.aten.sigmoid_backward.grad_input
_threshold = torch.ops.aten.threshold_backward.grad_input

CACHED = 2**16
"""Numbers of a layer's output that are worked on at a time: 256 KiB of float32."""


class Rule(NamedTuple):
    """An activation A = g(Z) whose derivative is a function of A; both work in place."""

    forward: Callable[[Tensor], Tensor]  # Z -> A
    backward: Callable[[Tensor, Tensor], Tensor]  # (dL/dA, A) -> dL/dZ


RULES: dict[type[nn.Module], Rule] = {
    nn.ReLU: Rule(torch.relu_, lambda slope, a: _threshold(slope, a, 0, grad_input=slope)),
    nn.Tanh: Rule(torch.tanh_, lambda slope, a: _tanh(slope, a, grad_input=slope)),
    nn.Sigmoid: Rule(torch.sigmoid_, lambda slope, a: _sigmoid(slope, a, grad_input=slope)),
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

    def __init__(self, network: nn.Module, weights: nn.Parameter | None = None) -> None:
        self.network = network
        self.weights = flatten_parameters(network) if weights is None else weights
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


class Layer(NamedTuple):
    """A dense layer of a chain, as tensors: to read them from its module costs as much as it."""

    weight: Tensor  # [out, in]
    transposed: Tensor  # [in, out], the same numbers
    bias: Tensor | None  # [out]
    weight_slope: Tensor  # dL/dW [out, in]
    bias_slope: Tensor | None  # dL/db [out]
    rule: Rule | None

    @classmethod
    def of(cls, module: nn.Linear) -> Layer:
        """Return views of a layer whose gradients lie in memory of their own."""
        weight, bias = module.weight.detach(), None if module.bias is None else module.bias.detach()
        bias_slope = None if module.bias is None else module.bias.grad
        return cls(weight, weight.t(), bias, cast(Tensor, module.weight.grad), bias_slope, None)

    def forward(self, x: Tensor, out: Tensor) -> None:
        """Write A = g(X Wᵀ + b) `[B, out]`."""
        if self.bias is None:
            torch.mm(x, self.transposed, out=out)
        else:
            torch.addmm(self.bias, x, self.transposed, out=out)
        if self.rule is not None:
            self.rule.forward(out)

    def backward(self, x: Tensor, slope: Tensor, add: bool) -> None:
        """Set dW = dZᵀ X and db = Σ dZ, or add them to those of other rows."""
        if add:
            self.weight_slope.addmm_(slope.t(), x)
        else:
            torch.mm(slope.t(), x, out=self.weight_slope)
        if self.bias_slope is None:
            return
        if add:
            self.bias_slope.add_(slope.sum(0))
        else:
            torch.sum(slope, 0, out=self.bias_slope)


class DenseBackprop:
    """A chain of dense layers, by the equations (curriculum N-LIN-05), rows of X being samples.

    Zₗ = Aₗ₋₁ Wₗᵀ + bₗ, Aₗ = g(Zₗ); backwards dZₗ = dAₗ ⊙ g'(Zₗ), dWₗ = dZₗᵀ Aₗ₋₁, dbₗ = Σ dZₗ,
    dAₗ₋₁ = dZₗ Wₗ. The gradients are written straight into the parameters' own.

    Many rows pass in blocks that stay in the processor's cache, and what they leave for `backward`
    lies where that of the last batch lay: fresh memory costs more time than the products.
    """

    def __init__(self, network: nn.Module, weights: nn.Parameter | None = None) -> None:
        self.weights = flatten_parameters(network) if weights is None else weights
        self._layers: list[Layer] = []
        for module in network.modules():
            if isinstance(module, nn.Linear):
                self._layers.append(Layer.of(module))
            elif type(module) in RULES:
                self._layers[-1] = self._layers[-1]._replace(rule=RULES[type(module)])
        self._widths = [layer.weight.shape[0] for layer in self._layers]
        self._rows_per_block = max(CACHED // max(self._widths), 64)
        self._memory: list[Tensor] = []  # A of the hidden layers, [most rows yet, width]
        self._rows = -1
        self._hidden: list[tuple[Tensor, ...]] = []  # parts of it, block by block
        self._passed: list[tuple[Tensor, ...]] = []  # X and every A, block by block

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs `[B, out]`."""
        rows = x.shape[0]  # without the calls in Python that `len` makes
        if rows != self._rows:
            self._make_room(x)
        output = x.new_empty(rows, self._widths[-1])
        parts = zip(self._blocks(x), self._hidden, self._blocks(output), strict=True)
        self._passed = [(first, *hidden, last) for first, hidden, last in parts]
        for block in self._passed:
            for layer, given, out in zip(self._layers, block, block[1:], strict=False):
                layer.forward(given, out)
        return output

    def backward(self, gradient: Tensor) -> None:
        """Set the gradient of `weights`."""
        if self._layers[-1].rule is not None:
            gradient = gradient.clone()  # which the rule works on in place
        slopes = self._blocks(gradient)
        for place, (block, slope) in enumerate(zip(self._passed, slopes, strict=True)):
            for index in range(len(self._layers) - 1, -1, -1):
                layer = self._layers[index]
                if layer.rule is not None:
                    slope = layer.rule.backward(slope, block[index + 1])
                layer.backward(block[index], slope, add=place > 0)
                if index:
                    slope = slope.mm(layer.weight)

    def _make_room(self, x: Tensor) -> None:
        """Have memory for as many rows as `x` has, as the next batch may have, too."""
        self._rows = len(x)
        if not self._memory or len(self._memory[0]) < len(x):
            self._memory = [x.new_empty(len(x), width) for width in self._widths[:-1]]
        parts = [self._blocks(array[: len(x)]) for array in self._memory]
        self._hidden = [*zip(*parts, strict=True)] or [()] * len(self._blocks(x))

    def _blocks(self, x: Tensor) -> Sequence[Tensor]:
        return [x] if x.shape[0] <= self._rows_per_block else x.split(self._rows_per_block)


def backprop(network: nn.Module, weights: nn.Parameter | None = None) -> Backprop:
    """Return the fastest way to the gradients of `network`.

    Args:
        network: takes rows `[B, *]`.
        weights: the vector `[P]` that its parameters are parts of, and others', too; by default
            they are flattened here.
    """
    return (DenseBackprop if _is_dense(network) else AutogradBackprop)(network, weights)


def _is_dense(network: nn.Module) -> bool:
    """Whether `network` is a chain of dense layers, each with at most one known activation."""
    after_linear = False
    for module in network.modules():
        if isinstance(module, nn.Linear):
            after_linear = True
        elif type(module) in RULES:
            if not after_linear:
                return False
            after_linear = False
        elif not isinstance(module, nn.Sequential):
            return False
    return True
