"""Five ways to keep a large net from learning 20 noisy points by heart, beside none.

The figure in each title is the squared error against the truth, on points that the net did not see:
the median of five seeds, of which each has its own points and weights, and their range. What is
drawn is the first seed.
"""

from collections.abc import Callable
from typing import Any

import begin
import torch
from picture import Figure, panels

from nets import MLP, GaussianNoise, optimizer, penalty
from nets.drawing.style import BLUE, GREY, ORANGE
from nets.layers.regularization import soft_threshold_

STEPS, RATE, SEEDS = 1000, 3e-3, 5
WAYS: dict[str, dict[str, Any]] = {
    "none": {},
    "L2": {"l2": 1e-3},
    "L1, proximal": {"l1": 0.3},
    "dropout 0.2": {"dropout": 0.2},
    "noise on the input": {"noise": 0.3},
    "stopped early": {"steps": 150},
}


def sample(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw noisy points of a sine, x `[20, 1]` and y `[20, 1]`."""
    torch.manual_seed(seed)
    x = torch.rand(20, 1) * 6 - 3
    return x, x.sin() + 0.3 * torch.randn(20, 1)


def fit(
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    dropout: float = 0.0,
    noise: float = 0.0,
    l2: float = 0.0,
    l1: float = 0.0,
    steps: int = STEPS,
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Train a net on `x` `[N, 1]` and `y` `[N, 1]`, and return it as a function."""
    net = MLP(1, [128, 128], 1, activation="tanh", dropout=dropout)
    network = torch.nn.Sequential(GaussianNoise(noise), net)
    opt = optimizer("adam", network, lr=RATE)
    for _ in range(steps):
        opt.zero_grad()
        loss = (network(x) - y).square().mean() + penalty(network, l2=l2)
        loss.backward()
        opt.step()
        if l1:
            soft_threshold_(network, RATE * l1)
    return network.eval()


def draw() -> Figure:
    """Draw one panel per way."""
    grid = torch.linspace(-3, 3, 300)[:, None]
    samples = [sample(seed) for seed in range(SEEDS)]
    title = f"20 noisy points, a net of 16,900 weights: squared error of {SEEDS} seeds"
    figure, axes = panels(3, 2, title=title)
    for axis, (label, settings) in zip(axes.flat, WAYS.items(), strict=True):
        fits = [fit(*points, **settings) for points in samples]
        with torch.no_grad():
            found = torch.stack([function(grid) for function in fits])  # [S, 300, 1]
        error = (found - grid.sin()).square().mean((1, 2))
        axis.plot(grid, grid.sin(), color=GREY, label="truth")
        axis.plot(*samples[0], "o", color=ORANGE, markersize=4, label="points")
        axis.plot(grid, found[0], color=BLUE, label="net")
        reach = f"({error.min():.3f} to {error.max():.3f})"
        axis.set(title=f"{label}: {error.median():.3f} {reach}", ylim=(-2, 2))
    axes[0, 0].legend(loc="upper left")
    for axis in axes[1]:
        axis.set_xlabel("x")
    for axis in axes[:, 0]:
        axis.set_ylabel("y")
    return figure


if __name__ == "__main__":
    begin.demo(draw)
