"""Decision regions by the number of hidden layers, on two spirals (N-LIN-02).

Without a hidden layer a line is all there is, and the decision boundary is straight. Each hidden
layer bends what the one before it bent: one winds along most of both spirals, two along all. A
third could cut the plane into more pieces still, and here need not.
"""

import begin
import torch
from picture import Figure, frame, panels

from nets import MLP, optimizer
from nets.drawing.style import DIVERGING, INDIGO, RED

LAYERS, UNITS, ROWS = (0, 1, 2, 3), 8, 400


def spirals() -> tuple[torch.Tensor, torch.Tensor]:
    """Return points of two spirals `[N, 2]`, and which each is of, `[N]`."""
    turn, side = torch.rand(ROWS).sqrt() * 3.0 + 0.5, torch.arange(ROWS) % 2
    angle = 3.0 * turn + torch.pi * side
    x = torch.stack([turn * angle.cos(), turn * angle.sin()], 1) / 3.0
    return x + 0.03 * torch.randn(ROWS, 2), side.float()


def trained(layers: int, x: torch.Tensor, side: torch.Tensor) -> MLP:
    """Train a net of so many hidden layers."""
    network = MLP(2, [UNITS] * layers, 1, activation="tanh")
    opt = optimizer("adam", network, lr=0.01)
    for _ in range(1500):
        opt.zero_grad()
        logit = network(x)[:, 0]
        torch.nn.functional.binary_cross_entropy_with_logits(logit, side).backward()
        opt.step()
    return network


def draw() -> Figure:
    """Draw what each net says of the plane."""
    x, side = spirals()
    axis_values = torch.linspace(-1.4, 1.4, 160)
    plane = torch.cartesian_prod(axis_values, axis_values)
    figure, axes = panels(
        len(LAYERS), title=f"Decision regions, {UNITS} tanh units in each hidden layer", size=3.0
    )
    for axis, layers in zip(axes.flat, LAYERS, strict=True):
        network = trained(layers, x, side)
        with torch.no_grad():
            chance = network(plane).sigmoid().reshape(160, 160)
            right = float(((network(x)[:, 0] > 0) == (side > 0)).float().mean())
        axis.contourf(
            axis_values, axis_values, chance.T, levels=20, cmap=DIVERGING, vmin=-0.4, vmax=1.4
        )
        for value, colour in enumerate((INDIGO, RED)):
            dots = {"color": colour, "edgecolors": "white", "linewidths": 0.5, "s": 16}
            axis.scatter(*x[side == value].T, **dots)
        axis.set(title=f"{layers} hidden: {right:.0%} right")
        frame(axis)
    return figure


if __name__ == "__main__":
    begin.demo(draw)
