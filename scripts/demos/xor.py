"""XOR: what a perceptron cannot do and eight hidden units can (N-LIN-01, N-LIN-02)."""

import begin
import torch
from picture import Figure, panels

from nets import MLP, optimizer
from nets.drawing.style import DIVERGING
from nets.networks.perceptron import Perceptron

CORNERS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
OR, XOR = torch.tensor([-1.0, 1.0, 1.0, 1.0]), torch.tensor([-1.0, 1.0, 1.0, -1.0])


def perceptron(target: torch.Tensor) -> Perceptron:
    """Correct mistakes for 50 epochs at most."""
    unit = Perceptron(2)
    unit.fit(CORNERS, target, max_epochs=50)
    return unit


def mlp(target: torch.Tensor) -> MLP:
    """Train eight tanh units."""
    network = MLP(2, [8], 1, activation="tanh")
    opt = optimizer("adam", network, lr=0.05)
    for _ in range(500):
        opt.zero_grad()
        (network(CORNERS)[:, 0] - target).square().mean().backward()
        opt.step()
    return network


def draw() -> Figure:
    """Draw what each says of the plane."""
    side = torch.linspace(-0.5, 1.5, 200)
    plane = torch.cartesian_prod(side, side)
    cases = {
        "OR, perceptron": (perceptron(OR), OR),
        "XOR, perceptron": (perceptron(XOR), XOR),
        "XOR, 8 hidden units": (mlp(XOR), XOR),
    }
    figure, axes = panels(len(cases), title="What a line can separate")
    for axis, (label, (decide, target)) in zip(axes.flat, cases.items(), strict=True):
        with torch.no_grad():
            value = decide(plane).reshape(200, 200).clamp(-1, 1)
            right = int((decide(CORNERS).flatten().sign() == target).sum())
        axis.contourf(side, side, value.T, levels=20, cmap=DIVERGING, vmin=-1.5, vmax=1.5)
        axis.scatter(*CORNERS.T, c=target, cmap=DIVERGING, edgecolors="black", s=90)
        axis.set(title=f"{label}: {right} of 4", xlabel="x₁", ylabel="x₂")
    return figure


if __name__ == "__main__":
    begin.demo(draw)
