"""Gradients through time: what the last state owes to the input k steps before (N-GRAD-05).

A vanilla RNN multiplies by its recurrent weights at every step: below a spectral radius of 1 the
gradient vanishes, above it explodes (the tanh tames it). An LSTM with an open forget gate has a
path that multiplies by nearly 1. Clipping bounds an exploding gradient and cannot revive a
vanished one.
"""

import torch
from picture import COLOURS, Figure, demo, panels

from nets import GRU, LSTM, RNN, init_

STEPS, UNITS = 100, 32


def gradient_norms(layer: torch.nn.Module) -> list[float]:
    """Return ‖∂ y_T / ∂ x_{T−k}‖ for k = 0, 1, ..."""
    x = (0.1 * torch.randn(STEPS, 8, UNITS)).requires_grad_()
    (gradient,) = torch.autograd.grad(layer(x)[0][-1].sum(), x)  # [T, B, D]
    return gradient.flatten(1).norm(dim=1).flip(0).tolist()


def rnn(radius: float) -> RNN:
    """Return an RNN whose recurrent weights are an orthogonal matrix times `radius`."""
    layer = RNN(UNITS, UNITS)
    torch.nn.init.orthogonal_(layer.get_parameter("weight_hh_l0"), radius)
    return layer


def draw() -> Figure:
    """Draw one line per layer."""
    layers: dict[str, torch.nn.Module] = {
        **{f"RNN, spectral radius {radius}": rnn(radius) for radius in (0.5, 1.0, 1.5)},
        "GRU": GRU(UNITS, UNITS),
        "LSTM": LSTM(UNITS, UNITS),
        "LSTM, forget bias 1": init_(LSTM(UNITS, UNITS), "forget_gate"),
    }
    figure, axes = panels(1, title="Gradients through time", size=6.0)
    (axis,) = axes.flat
    for colour, (label, layer) in zip(COLOURS, layers.items(), strict=False):
        norms = gradient_norms(layer)
        axis.semilogy([n / norms[0] for n in norms], color=colour, label=label)
    axis.set(
        xlabel="steps back",
        ylabel="gradient, relative to that of the last input",
        ylim=(1e-12, 1e3),
    )
    axis.legend()
    return figure


if __name__ == "__main__":
    demo(__doc__, draw)
