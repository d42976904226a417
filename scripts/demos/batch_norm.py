"""Batch norm on and off: digits, a net of eight layers, three learning rates.

With batch norm a high rate does what only a well chosen one does without. Lines are the median of
five seeds, bands their range.
"""

import begin
import torch
from picture import Figure, band, panels

from nets import MLP, optimizer
from nets.drawing.style import BLUE, ORANGE
from nets.gradients.averaging import moving_average

RATES, STEPS, SEEDS = (0.003, 0.1, 1.0), 200, 5


def losses(
    x: torch.Tensor, label: torch.Tensor, norm: str | None, rate: float, seed: int
) -> torch.Tensor:
    """Train by plain SGD, and return the loss of every step."""
    torch.manual_seed(seed)
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
    title = f"Batch norm and the learning rate, median and range of {SEEDS} seeds"
    figure, axes = panels(len(RATES), title=title)
    for axis, rate in zip(axes.flat, RATES, strict=True):
        for label, norm, colour in (("without", None, ORANGE), ("with", "batch", BLUE)):
            found = [losses(x, rows.labels, norm, rate, seed) for seed in range(SEEDS)]
            curves = torch.stack([moving_average(one.nan_to_num(1e9), 0.9) for one in found])
            band(axis, range(STEPS), curves, colour, f"{label} batch norm")
        axis.set(title=f"learning rate {rate:g}", xlabel="steps", ylim=(0, 2.6))
    axes.flat[0].set_ylabel("loss (nats), smoothed")
    axes.flat[0].legend()
    return figure


if __name__ == "__main__":
    begin.demo(draw)
