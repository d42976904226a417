"""Six ways to keep a large net from learning 20 noisy points by heart.

Grey: the truth. Points: what the net saw. The figure in each title is the squared error against the
truth, on points it did not see.
"""

from collections.abc import Callable

import torch
from picture import BLUE, GREY, ORANGE, Figure, demo, panels

from nets import MLP, GaussianNoise, optimizer, penalty
from nets.layers.regularization import soft_threshold_

STEPS, RATE, L1 = 2000, 3e-3, 3e-3


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
    torch.manual_seed(1)
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
    x = torch.rand(20, 1) * 6 - 3
    y = x.sin() + 0.3 * torch.randn(20, 1)
    grid = torch.linspace(-3, 3, 300)[:, None]
    fits = {
        "nothing": fit(x, y),
        "L2": fit(x, y, l2=1e-3),
        "L1, proximal": fit(x, y, l1=L1),
        "dropout 0.2": fit(x, y, dropout=0.2),
        "noise on the input": fit(x, y, noise=0.3),
        "stopped early": fit(x, y, steps=150),
    }
    figure, axes = panels(3, 2, title="20 noisy points and a net of 16,900 weights")
    for axis, (label, function) in zip(axes.flat, fits.items(), strict=True):
        with torch.no_grad():
            found = function(grid)
        error = (found - grid.sin()).square().mean()
        axis.plot(grid, grid.sin(), color=GREY)
        axis.plot(grid, found, color=BLUE)
        axis.plot(x, y, "o", color=ORANGE, markersize=4)
        axis.set(title=f"{label}: {error:.3f}", ylim=(-2, 2))
    return figure


if __name__ == "__main__":
    demo(__doc__, draw)
