"""Optimisers on the same net, data and seed, each with the best of nine rates (N-OPT-16)."""

import torch
from picture import COLOURS, Figure, demo, panels

from nets import MLP, optimizer
from nets.gradients.averaging import moving_average

NAMES = ("sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "nadam")
RATES = [10.0 ** (k / 2) for k in range(-8, 1)]
STEPS, BATCH = 300, 32


def losses(name: str, rate: float, steps: int) -> torch.Tensor:
    """Train a net to tell two spirals apart; return the loss of every step."""
    torch.manual_seed(0)
    turn = torch.rand(512) * 3.0 + 0.5
    side = torch.arange(512) % 2
    angle = 2.0 * turn + torch.pi * side
    x = torch.stack([turn * angle.cos(), turn * angle.sin()], 1) / 3.0 + 0.02 * torch.randn(512, 2)
    network = MLP(2, [32, 32], 1, activation="tanh")
    opt, found = optimizer(name, network, lr=rate), []
    for _ in range(steps):
        rows = torch.randint(512, (BATCH,))
        opt.zero_grad()
        target = side[rows].float()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(x[rows])[:, 0], target)
        loss.backward()
        opt.step()
        found.append(loss.detach())
    return torch.stack(found)


def draw() -> Figure:
    """Draw the smoothed loss of each under its best rate."""
    figure, axes = panels(
        1, title="Optimisers, two spirals, learning rates chosen for each", size=6.0
    )
    (axis,) = axes.flat
    for colour, name in zip(COLOURS, NAMES, strict=False):
        ends = {rate: losses(name, rate, STEPS)[-50:].mean().nan_to_num(1e9) for rate in RATES}
        best = min(ends, key=lambda rate: float(ends[rate]))
        curve = moving_average(losses(name, best, STEPS), 0.9)
        axis.plot(curve, color=colour, label=f"{name}, lr {best:.1e}")
    axis.set(xlabel="steps", ylabel="loss", ylim=(0, 0.8))
    axis.legend()
    return figure


if __name__ == "__main__":
    demo(__doc__, draw)
