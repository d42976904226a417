"""Activations (blue) and their derivatives (orange).

A derivative near 0 stops the gradient on its way back: sigmoid's is at most a quarter, and outside
of a few units tanh and sigmoid let nothing through. ReLU's is 1 or 0.
"""

import torch
from picture import BLUE, ORANGE, Figure, demo, panels

from nets import activation

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
        each.plot(x.detach(), y.detach(), BLUE)
        each.plot(x.detach(), slope, ORANGE)
        each.set(title=name, ylim=(-2, 4))
    return figure


if __name__ == "__main__":
    demo(__doc__, draw)
