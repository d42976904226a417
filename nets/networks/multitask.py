"""Several tasks, one trunk (curriculum N-HEAD-06, S-MTL-01)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..keywords import Keywords


class MultiTask(nn.Module, Keywords):
    """A trunk whose features go to one head per task.

    Args:
        trunk: from an input to features.
        heads: from the features to what each task wants, by the task's name.
    """

    def __init__(self, trunk: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.trunk, self.heads = trunk, nn.ModuleDict(heads)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the output of every head."""
        features = self.trunk(x)
        return {task: head(features) for task, head in self.heads.items()}


def multitask_loss(
    losses: Mapping[str, Tensor],
    *,
    weights: Mapping[str, float] | None = None,
    labelled: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Return L = Σ_t w_t·L_t, L_t being the mean loss of the rows that have a label for task t.

    Rows without one take no part; a task without any adds 0. Put any number in the place of a
    missing label: NaN would come back in the gradient.

    Args:
        losses: per row `[B]` (`reduction="none"`), by task.
        weights: w_t by task; 1 by default.
        labelled: bool `[B]` by task, which rows have a label; all by default.

    Raises:
        ValueError: if a weight or mask names no task.
    """
    weights, labelled = weights or {}, labelled or {}
    unknown = (weights.keys() | labelled.keys()) - losses.keys()
    if unknown:
        raise ValueError(f"no task is called {sorted(unknown)[0]!r}: there are {sorted(losses)}")
    total = torch.zeros((), device=next(iter(losses.values())).device)
    for task, rows in losses.items():
        mask = labelled.get(task)
        known = rows if mask is None else rows.masked_fill(~mask, 0.0)
        count = len(rows) if mask is None else mask.sum().clamp(min=1)
        total = total + weights.get(task, 1.0) * known.sum() / count
    return total
