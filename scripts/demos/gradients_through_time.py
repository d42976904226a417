"""Gradients through time: what the last state owes to the input k steps before (N-GRAD-05).

A vanilla RNN multiplies by its recurrent weights at every step: at a spectral radius of 0.5 the
gradient halves with each, at 1.5 it explodes, though the tanh holds it back; at 1 the tanh alone
lets it fade. Skip connections, from d steps before, leave a way back with a d-th of the steps. A
gate multiplies by what it lets through: an LSTM whose forget gates begin half open (σ(0) = 0.5)
loses more than a third with each step, as does a GRU, whose gates begin so, too; one whose gates
are open (σ(4) = 0.98) hardly any. Clipping bounds an exploding gradient and cannot revive a
vanished one.
"""

from collections.abc import Callable

import begin
import torch
from picture import Figure, band, panels

from nets import GRU, LSTM, RNN, init_
from nets.drawing.style import BLUE, CYAN, GREY, INDIGO, OLIVE, ORANGE, PINK, RED, paper

STEPS, UNITS, SEEDS = 100, 32, 5
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


LAYERS: dict[str, tuple[str, Callable[[], torch.nn.Module]]] = {
    "RNN, radius 1.5": (RED, lambda: rnn(1.5)),
    "LSTM, forget bias 4": (PINK, lambda: open_lstm(4.0)),
    f"RNN, 0.5, skips of {SKIP}": (CYAN, lambda: SkipRNN(0.5)),
    "RNN, radius 1": (ORANGE, lambda: rnn(1.0)),
    "LSTM, forget bias 1": (OLIVE, lambda: open_lstm(1.0)),
    "LSTM, forget bias 0": (INDIGO, lambda: LSTM(UNITS, UNITS)),
    "GRU": (GREY, lambda: GRU(UNITS, UNITS)),
    "RNN, radius 0.5": (BLUE, lambda: rnn(0.5)),
}


def draw() -> Figure:
    """Draw one line per layer."""
    title = f"Gradients through time, median and range of {SEEDS} seeds"
    figure, axes = panels(1, title=title, size=5.2, wide=1.5)
    (axis,) = axes.flat
    axis.set_yscale("log")
    for label, (colour, layer) in LAYERS.items():
        norms = torch.tensor([gradient_norms(layer()) for _ in range(SEEDS)])  # [S, T]
        band(axis, range(STEPS), norms / norms[:, :1], colour, label)
    k = torch.arange(36)
    axis.plot(k, 0.5**k, color=paper().ink, linestyle=(0, (1, 2)), label="halved by each step")
    axis.set(
        xlabel="steps back",
        ylabel="gradient, relative to that of the last input",
        ylim=(1e-12, 1e3),
    )
    figure.legend(loc="outside right center")
    return figure


if __name__ == "__main__":
    begin.demo(draw)
