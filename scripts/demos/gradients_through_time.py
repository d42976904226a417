"""Gradients through time: what the last state owes to the input k steps before (N-GRAD-05).

A vanilla RNN multiplies by its recurrent weights at every step: below a spectral radius of 1 the
gradient vanishes, above it explodes (the tanh tames it). Skip connections, from d steps before,
leave a way back with a d-th of the steps. A gate multiplies by what it lets through: an LSTM whose
forget gates begin half open (σ(0) = 0.5) forgets as fast as a small radius, one whose gates are
open (σ(4) = 0.98) hardly. Clipping bounds an exploding gradient and cannot revive a vanished one.
"""

import torch
from picture import COLOURS, Figure, demo, panels

from nets import GRU, LSTM, RNN, init_

STEPS, UNITS = 100, 32
SKIP = 10  # steps that a skip connection passes over


class SkipRNN(torch.nn.Module):
    """hₜ = tanh(W xₜ + U hₜ₋₁ + V hₜ₋d): a vanilla RNN with connections over d steps."""

    def __init__(self, radius: float) -> None:
        super().__init__()
        self.w, self.u, self.v = (torch.nn.Linear(UNITS, UNITS) for _ in range(3))
        torch.nn.init.orthogonal_(self.u.weight, radius)
        torch.nn.init.orthogonal_(self.v.weight)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Return the states `[T, B, H]`."""
        states = [x.new_zeros(x.shape[1], UNITS)] * SKIP
        for x_t in x:
            states.append((self.w(x_t) + self.u(states[-1]) + self.v(states[-SKIP])).tanh())
        return torch.stack(states[SKIP:]), None


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


def open_lstm(bias: float) -> LSTM:
    """Return an LSTM whose forget gates begin at σ(bias)."""
    layer = init_(LSTM(UNITS, UNITS), "forget_gate")  # at a bias of 1
    torch.nn.init.constant_(layer.get_parameter("bias_ih_l0")[UNITS : 2 * UNITS], bias)
    return layer


def draw() -> Figure:
    """Draw one line per layer."""
    layers: dict[str, torch.nn.Module] = {
        **{f"RNN, spectral radius {radius}": rnn(radius) for radius in (0.5, 1.0, 1.5)},
        f"RNN, 0.5, skips of {SKIP} steps": SkipRNN(0.5),
        "GRU": GRU(UNITS, UNITS),
        "LSTM": LSTM(UNITS, UNITS),
        "LSTM, forget bias 1": open_lstm(1.0),
        "LSTM, forget bias 4": open_lstm(4.0),
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
    axis.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    demo(__doc__, draw)
