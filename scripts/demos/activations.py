"""Activations (blue) and their derivatives (orange).

A derivative near 0 stops the gradient on its way back: sigmoid's is at most a quarter, and outside
of a few units tanh and sigmoid let nothing through. ReLU's is 1 or 0.
"""

import begin
import torch
from picture import Figure, panels

from nets import activation
from nets.drawing.style import BLUE, ORANGE

NAMES = (
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "softplus",
    "softsign",
)


def draw() -> Figure:
    """Draw each by autograd."""
    figure, axes = panels(5, 2, title="Activations and their derivatives", size=2.5)
    for each, name in zip(axes.flat, NAMES, strict=True):
        x = torch.linspace(-4, 4, 401, requires_grad=True)
        y = activation(name)(x)
        (slope,) = torch.autograd.grad(y.sum(), x)
        each.plot(x.detach(), y.detach(), BLUE, label="f(x)")
        each.plot(x.detach(), slope, ORANGE, label="f′(x)")
        each.set(title=name, ylim=(-2, 4))
    axes[0, 0].legend(loc="upper left")
    for each in axes[1]:
        each.set_xlabel("x")
    return figure


if __name__ == "__main__":
    begin.demo(draw)
