"""Looks at the model while it learns: held-out rows measured, pictures drawn, nothing disturbed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nets.process.seeding import hash31, seeded

from ..metrics.likelihood import held_out_terms
from ..model import GenerativeModel, Rows
from .learner import Learner


class Looks:
    """Looks at the trained model with noise of its own, the same every time.

    Args:
        learner: whose model is looked at.
        held_out: rows to measure it on.
        draw: draws it beside rows, held-out ones where there are any.
        seed: of the run.
    """

    def __init__(
        self,
        learner: Learner,
        held_out: Rows | None,
        draw: Callable[[GenerativeModel, Any], Mapping[str, NDArray[np.uint8]]] | None,
        seed: int,
    ) -> None:
        self.learner, self.held_out, self.draw, self.seed = learner, held_out, draw, seed

    @property
    def unseen(self) -> Rows:
        """The held-out rows; where there are none, the others."""
        return self.learner.data if self.held_out is None else self.held_out

    def measured(self) -> dict[str, float]:
        """Return the means over the held-out rows of what the model measures."""
        if self.held_out is None:
            return {}
        with self._looking("validation") as model:
            return held_out_terms(model, self.held_out)

    def pictures(self) -> Mapping[str, NDArray[np.uint8]]:
        """Return what is drawn, by name."""
        if self.draw is None:
            return {}
        with self._looking("drawing") as model, torch.no_grad():
            return self.draw(model, self.unseen)

    @contextmanager
    def _looking(self, purpose: str) -> Iterator[GenerativeModel]:
        with seeded(hash31(self.seed, purpose)):
            yield self.learner.trained.eval()
        self.learner.model.train()
