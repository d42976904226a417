"""Batch norm on and off: digits, a net of eight layers, three learning rates.

With batch norm a high rate does what only a well chosen one does without.
"""

import torch
from picture import BLUE, ORANGE, Figure, demo, panels

from nets import MLP, optimizer
from nets.gradients.averaging import moving_average

RATES, STEPS = (0.003, 0.1, 1.0), 200


def losses(x: torch.Tensor, label: torch.Tensor, norm: str | None, rate: float) -> torch.Tensor:
    """Train by plain SGD, and return the loss of every step."""
    torch.manual_seed(0)
    network = MLP(64, [64] * 7, 10, norm=norm, init="he_normal")
    opt, found = optimizer("sgd", network, lr=rate), []
    for _ in range(STEPS):
        rows = torch.randint(len(x), (64,))
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(x[rows]), label[rows])
        loss.backward()
        opt.step()
        found.append(loss.detach())
    return torch.stack(found)


def draw() -> Figure:
    """Draw one panel per rate."""
    from generative.data.load import load_dataset

    rows = load_dataset("digits")
    assert rows.labels is not None
    x = rows.batch(torch.arange(len(rows))).x.flatten(1)
    figure, axes = panels(len(RATES), title="Batch norm and the learning rate")
    for axis, rate in zip(axes.flat, RATES, strict=True):
        for label, norm, colour in (("without", None, ORANGE), ("with", "batch", BLUE)):
            curve = moving_average(losses(x, rows.labels, norm, rate), 0.9)
            axis.plot(curve, color=colour, label=f"{label} batch norm")
        axis.set(title=f"learning rate {rate:g}", xlabel="steps", ylim=(0, 2.6))
    axes.flat[0].set_ylabel("loss")
    axes.flat[0].legend()
    return figure


if __name__ == "__main__":
    demo(__doc__, draw)
