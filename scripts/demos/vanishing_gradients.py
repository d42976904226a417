"""Gradients through 20 layers of 128 units, by activation and initialisation (N-ACT-11).

The gradient of each layer's weights, relative to the last layer's. Sigmoid multiplies it by less
than a quarter per layer; Xavier's weights keep it with tanh. ReLU keeps the ratio whatever the
weights' scale, and He's scale keeps the size, too.
"""

import begin
import torch
from picture import PALETTE, Figure, band, panels
from torch import nn

from nets import MLP, init_

LAYERS, UNITS, SEEDS = 20, 128, 5
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
    title = f"Gradients through {LAYERS} layers, median and range of {SEEDS} seeds"
    figure, axes = panels(1, title=title, size=4.6, wide=1.5)
    (axis,) = axes.flat
    axis.set_yscale("log")
    for colour, (label, case) in zip(PALETTE, CASES.items(), strict=False):
        norms = torch.tensor([gradient_norms(*case) for _ in range(SEEDS)])  # [S, layers]
        band(axis, range(1, LAYERS + 1), norms / norms[:, -1:], colour, label)
    axis.set(xlabel="layer", ylabel="gradient, relative to the last layer's")
    axis.set_xticks(range(1, LAYERS + 1, 3))
    axis.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    begin.demo(draw)
