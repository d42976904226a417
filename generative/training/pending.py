"""Metrics of the steps since the last row of the log, left on the device until it is written."""

import torch
from torch import Tensor

from .learner import Learner


class Pending:
    """Holds the metrics of steps, and tells their means.

    Args:
        learner: whose steps they are.
    """

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self.steps: list[dict[str, Tensor]] = []

    def add(self, metrics: dict[str, Tensor]) -> None:
        """Hold the metrics of a step."""
        self.steps.append(metrics)

    def clear(self) -> None:
        """Forget them."""
        self.steps.clear()

    def read(self) -> dict[str, float]:
        """Return the means over steps and processes, and forget: here the device is waited for.

        Raises:
            Diverged: a loss was not finite.
        """
        steps, self.steps, learner = self.steps, [], self.learner
        names = list(steps[0])
        if not names:  # nobody learns
            return {}
        table = torch.stack([torch.stack([m[name].float() for m in steps]) for name in names])
        table = learner.team.mean(table).cpu()  # [metrics, steps]
        for optimiser in learner.optimisers:
            k = names.index(optimiser.loss_name)
            wrong = (~table[k].isfinite()).nonzero()
            if len(wrong):
                n = int(wrong[0])
                step = learner.steps - len(steps) + n + 1
                value = table[k, n].item()
                what = f"the loss of the {optimiser.player.name} is {value} at step {step}"
                raise learner.diverged(what)
        return dict(zip(names, table.mean(1).tolist(), strict=True))
