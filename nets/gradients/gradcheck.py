"""Is a gradient right? Compare it with differences of the function (curriculum N-GRAD-04)."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from ..arguments import named

GOOD, WRONG = 1e-7, 1e-3
"""Ratios below the first are rounding, above the second a mistake; in float64 with ε = 1e-6."""


@torch.no_grad()
def numeric_gradient(
    loss: Callable[[], Tensor], parameter: Tensor, epsilon: float = 1e-6
) -> Tensor:
    """Return (L(θ + ε·eᵢ) − L(θ − ε·eᵢ)) / 2ε for every element i of a parameter.

    Args:
        loss: evaluates L at the parameter's present values.
        parameter: θ, changed in place and restored; float64, or rounding will drown the result.
        epsilon: ε.
    """
    gradient = torch.empty_like(parameter)
    values, out = parameter.view(-1), gradient.view(-1)
    for i, value in enumerate(values.tolist()):
        values[i] = value + epsilon
        above = loss()
        values[i] = value - epsilon
        out[i] = (above - loss()) / (2.0 * epsilon)
        values[i] = value
    return gradient


@named
def grad_check(
    loss: Callable[[], Tensor], params: nn.Module | Iterable[Tensor], epsilon: float = 1e-6
) -> float:
    """Return ‖g̃ − g‖ / (‖g̃‖ + ‖g‖), g by autograd and g̃ by differences, over all parameters.

    Below 1e-7 all is well, above 1e-3 the gradient is wrong. `torch.autograd.gradcheck` compares
    element by element instead; the ratio says how wrong the whole is.

    Args:
        loss: evaluates a scalar; the same each time: no dropout, no noise.
        params: a module or parameters, in float64.
        epsilon: half the distance of the differences.

    Raises:
        TypeError: if a parameter is not float64.
        ValueError: if two evaluations of the loss differ.
    """
    tensors = list(params.parameters() if isinstance(params, nn.Module) else params)
    for tensor in tensors:
        if tensor.dtype != torch.float64:
            raise TypeError(f"a gradient check needs float64, got {tensor.dtype}: use .double()")
    value = loss()
    if not torch.equal(value, loss()):
        raise ValueError("the loss differs from one evaluation to the next: call .eval() first")
    found = torch.autograd.grad(value, tensors, allow_unused=True, materialize_grads=True)
    exact = torch.cat([gradient.flatten() for gradient in found])  # [P]
    numeric = torch.cat([numeric_gradient(loss, t, epsilon).flatten() for t in tensors])  # [P]
    scale = numeric.norm() + exact.norm()
    return ((numeric - exact).norm() / scale).item() if scale else 0.0
