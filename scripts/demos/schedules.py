"""Learning-rate schedules: what each makes of a rate of 1 over 100 epochs (N-SCH)."""

from typing import Any

import begin
import torch
from picture import Figure, panels

from nets import schedule
from nets.drawing.style import BLUE

EPOCHS = 100
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "inverse time, k = 0.1": ("inverse_time", {"rate": 0.1}),
    "linear to 0": ("linear", {"steps": EPOCHS}),
    "step, every 30": ("step", {"every": 30, "factor": 0.3}),
    "exponential, 0.96": ("exponential", {"factor": 0.96}),
    "cosine": ("cosine", {"steps": EPOCHS}),
    "warm-up 10, then cosine": ("cosine", {"steps": EPOCHS - 10, "warmup": 10}),
    "milestones at 20, 80": ("milestones", {"at": [20, 80], "factor": 0.2}),
    "plateau, patience 5": ("plateau", {"factor": 0.5, "patience": 5}),
}


def rates(name: str, settings: dict[str, Any]) -> list[float]:
    """Return the rate of every epoch; the plateau follows a loss that stalls from epoch 40 on."""
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, found = schedule(name, opt, **settings), []
    for epoch in range(EPOCHS):
        found.append(opt.param_groups[0]["lr"])
        opt.step()
        scheduler.step(*((max(0.0, 1.0 - epoch / 40),) if name == "plateau" else ()))
    return found


def draw() -> Figure:
    """Draw one panel per schedule."""
    figure, axes = panels(4, 2, title="Learning rates by epoch", size=2.7)
    for axis, (label, case) in zip(axes.flat, CASES.items(), strict=True):
        axis.plot(rates(*case), color=BLUE)
        axis.set(title=label, ylim=(-0.05, 1.05))
    for axis in axes[1]:
        axis.set_xlabel("epoch")
    for axis in axes[:, 0]:
        axis.set_ylabel("learning rate")
    return figure


if __name__ == "__main__":
    begin.demo(draw)
