"""Gradients through 20 layers of 128 units, by activation and initialisation (N-ACT-11).

The gradient of each layer's weights, relative to the last layer's. Sigmoid multiplies it by less
than a quarter per layer; Xavier's weights keep it with tanh. ReLU keeps the ratio whatever the
weights' scale, and He's scale keeps the size, too.
"""

import torch
from picture import COLOURS, Figure, demo, panels
from torch import nn

from nets import MLP, init_

LAYERS, UNITS = 20, 128
CASES = {
    "sigmoid, torch's default": ("sigmoid", None),
    "sigmoid, Xavier": ("sigmoid", "glorot_normal"),
    "tanh, torch's default": ("tanh", None),
    "tanh, Xavier": ("tanh", "glorot_normal"),
    "ReLU, He": ("relu", "he_normal"),
}


def gradient_norms(activation: str, scheme: str | None) -> list[float]:
    """Return the norms of the gradients of the weights, first layer first."""
    network = MLP(UNITS, [UNITS] * LAYERS, 1, activation=activation)
    if scheme is not None:
        init_(network, scheme, 1.0 if activation == "sigmoid" else None)
    network(torch.randn(16, UNITS)).square().mean().backward()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][:-1]
    return [layer.weight.grad.norm().item() for layer in layers if layer.weight.grad is not None]


def draw() -> Figure:
    """Draw one line per case."""
    figure, axes = panels(1, title=f"Gradients through {LAYERS} layers", size=6.0)
    (axis,) = axes.flat
    for colour, (label, case) in zip(COLOURS, CASES.items(), strict=False):
        norms = gradient_norms(*case)
        axis.semilogy(
            range(1, LAYERS + 1), [n / norms[-1] for n in norms], color=colour, label=label
        )
    axis.set(xlabel="layer", ylabel="gradient, relative to the last layer's")
    axis.set_xticks(range(1, LAYERS + 1, 3))
    axis.legend()
    return figure


if __name__ == "__main__":
    demo(__doc__, draw)
