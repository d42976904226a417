"""Which weights are the best on held-out rows, when they get no better, and what they lack."""

import math
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from nets.runs.checkpoint import load_checkpoint, save_checkpoint
from nets.supervised.early_stopping import EarlyStopping
from nets.warned import warn

from ..model import GenerativeModel
from .learner import Learner
from .run import RunFolder

MANY_STEPS = 200  # after which latents should say something
CURES = "try kl_warmup_steps, a smaller learning_rate, or another likelihood"


class Watch:
    """Keeps the weights of the lowest held-out loss, in the run's folder or in memory.

    Args:
        learner: whose model is measured.
        run: where to write; None keeps them in memory.

    Attributes:
        measured: what the last evaluation said.
    """

    def __init__(self, learner: Learner, run: RunFolder | None) -> None:
        self.learner, self.run = learner, run
        self.patience = learner.model.config.patience
        self.stopping = EarlyStopping(
            "loss", patience=self.patience, restore_best_weights=run is None
        )
        self.measured: Mapping[str, float] = {}
        self._warned = False

    @property
    def stopped(self) -> bool:
        """Whether the loss has not become better for `patience` evaluations."""
        return self.patience > 0 and self.stopping.stopped

    @property
    def best_loss(self) -> float | None:
        """The lowest loss so far; None where there has been none."""
        return self.stopping.best

    def take(self, measured: Mapping[str, float]) -> None:
        """Take an evaluation into account.

        Raises:
            Diverged: its loss is not finite.
        """
        self.measured, learner = measured, self.learner
        loss = measured.get("loss")
        if loss is not None:
            if not math.isfinite(loss):
                raise learner.diverged(f"the held-out loss is {loss} at step {learner.steps}")
            self.stopping.check(loss, learner.trained)
            if self.stopping.best_check == self.stopping.checks:
                self._save(loss)
        if (
            measured.get("active_latents") == 0.0
            and learner.steps >= MANY_STEPS
            and not self._warned
        ):
            self._warned = True
            message = f"no latent of the {learner.model.name} says anything of the data"
            found = f"after {learner.steps:,} steps their KL is below 0.01"
            warn(f"{message}: {found}; {CURES}")

    def best(self) -> GenerativeModel:
        """Return a copy of the model with the best weights, in evaluation mode.

        Raises:
            ValueError: no held-out loss has been measured.
        """
        if self.best_loss is None:
            raise ValueError("there are no best weights: no held-out loss has been measured")
        model = deepcopy(self.learner.trained)
        if self.run is None:
            self.stopping.restore(model)
        else:
            model.load_state_dict(load_checkpoint(self.run.files.best)["weights"])
        return model.eval()

    def forget(self) -> None:
        """Take the next loss that is measured for the lowest: the best weights are lost."""
        self.stopping.best = None

    def state_dict(self) -> dict[str, Any]:
        """What later evaluations depend on."""
        return self.stopping.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.stopping.load_state_dict(state)

    def _save(self, loss: float) -> None:
        learner = self.learner
        if self.run is not None and learner.team.leads:
            best = {"step": learner.steps, "weights": learner.trained.state_dict(), "loss": loss}
            save_checkpoint(self.run.files.best, learner.model.manifest() | best)
