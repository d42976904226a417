"""Early stopping: end training when what is monitored no longer improves (curriculum S-ES-01)."""

import math
import re
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..arguments import checked
from ..glance import Shown
from ..kinds import NonNegative, Real, Whole

Mode = Literal["auto", "min", "max"]
GROWS = re.compile(
    "acc|accuracy|ap|auc|auprc|auroc|bleu|coverage|dice|elbo|evidence|f1|fscore|iou|jaccard|kappa|"
    "likelihood|map|mcc|meteor|miou|mrr|ndcg|prauc|precision|psnr|r2|recall|returns?|rewards?|"
    "rocauc|rouge|score|sensitivity|similarity|specificity|ssim|success"
)
FALLS = re.compile(
    "bce|bpd|brier|cer|cost|cross|crossentropy|deviance|disagreement|distance|divergence|ece|"
    "errors?|fid|hamming|kid|kl|logloss|loss|losses|mae|mape|mmd|mse|nll|perplexity|regret|rmse|wer"
)
"""Words of the names of what should grow, and of what should fall."""


class EarlyStopping(Shown):
    """Watches one metric, check by check (epoch by epoch), with the semantics known from Keras.

    A check improves if current < best − min_delta (mode `min`; `max` is its mirror image); the
    first finite one does, and none that is infinite. Checks are counted anew after each
    improvement, where there is a baseline only after those that beat it in the same way; training
    should stop at a check, after the first, that does not improve and brings the count to
    `patience` or above. Patience 0 is the rule "stop when the loss rises". NaN stops at once,
    unlike in Keras.

    Args:
        monitor: name of the metric.
        patience: checks without improvement that are put up with.
        min_delta: smallest change that counts as an improvement.
        mode: whether the metric should fall or grow; `auto` tells by the words of its name, as in
            `validation_loss` and `validation_f1`.
        baseline: what an improvement has to beat, too, or it does not start the count anew.
        restore_best_weights: whether `restore` brings back the weights of the best check.
        verbose: print when training stops and what is restored.

    Attributes:
        best: the best value so far; None before the first.
        best_check: its number, from 1; 0 before the first.
        checks: how many there have been.
        stopped: whether training should stop.

    Raises:
        ValueError: a setting is out of range, or the name does not tell the mode.
    """

    @checked
    def __init__(
        self,
        monitor: str = "validation_loss",
        *,
        patience: Whole = 0,
        min_delta: NonNegative = 0.0,
        mode: Mode = "auto",
        baseline: Real | None = None,
        restore_best_weights: bool = False,
        verbose: bool = False,
    ) -> None:
        if mode == "auto":
            mode = _mode_of(monitor)
        self.monitor, self.mode, self.baseline = monitor, mode, baseline
        self.patience, self.min_delta = patience, min_delta
        self.restore_best_weights, self.verbose = restore_best_weights, verbose
        self.reset()

    @property
    def facts(self) -> dict[str, Any]:
        """What it watches, and the best that it has seen."""
        names = ("monitor", "mode", "patience", "best", "best_check", "checks", "stopped")
        return {name: getattr(self, name) for name in names}

    def reset(self) -> None:
        """Forget all checks and weights: what follows is another training."""
        self.best: float | None = None
        self.best_check = self.checks = self.wait = 0
        self.stopped = False
        self._weights: dict[str, Tensor] | None = None

    def check(self, value: float, network: nn.Module) -> bool:
        """Take the metric's newest value into account; return whether to stop.

        Args:
            value: of the metric.
            network: whose weights made it.
        """
        self.checks += 1
        if math.isnan(value):
            self.stopped = True
            self._say(f"stopped at check {self.checks}: {self.monitor} is not a number")
            return True
        self.wait += 1
        if math.isfinite(value) and (self.best is None or self._improves(value, self.best)):
            self.best, self.best_check = value, self.checks
            if self.restore_best_weights:
                self._weights = {k: v.detach().clone() for k, v in network.state_dict().items()}
            if self.baseline is None or self._improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and self.checks > 1:
            self.stopped = True
            before = "" if self.best is None else f" on {self.best:g} of check {self.best_check}"
            self._say(
                f"stopped at check {self.checks}: {self.monitor} {value:g} has not improved{before}"
                + ("" if self.baseline is None else f", or not beaten {self.baseline:g}")
            )
        return self.stopped

    @property
    def settings(self) -> dict[str, Any]:
        """What decides when training stops."""
        names = ("monitor", "mode", "patience", "min_delta", "baseline", "restore_best_weights")
        return {name: getattr(self, name) for name in names}

    @property
    def can_restore(self) -> bool:
        """Whether there are best weights to bring back."""
        return self._weights is not None

    @torch.no_grad()
    def restore(self, network: nn.Module) -> None:
        """Bring back the best weights, if that was asked for; else the last ones stay."""
        if self._weights is not None:
            network.load_state_dict(self._weights)
            self._say(f"restored the weights of check {self.best_check}")

    def state_dict(self) -> dict[str, Any]:
        """What later checks depend on."""
        return {
            "best": self.best,
            "best_check": self.best_check,
            "checks": self.checks,
            "wait": self.wait,
            "stopped": self.stopped,
            "weights": self._weights,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.best, self.best_check = state["best"], state["best_check"]
        self.checks, self.wait = state["checks"], state["wait"]
        self.stopped, self._weights = state["stopped"], state["weights"]

    def _improves(self, value: float, reference: float) -> bool:
        if self.mode == "min":
            return value < reference - self.min_delta
        return value > reference + self.min_delta

    def _say(self, message: str) -> None:
        if self.verbose:
            print(message)


def _mode_of(monitor: str) -> Literal["min", "max"]:
    """Tell by the words of a metric's name whether it should fall or grow."""
    parts = re.split(r"[^a-z0-9]+", monitor.lower())  # validation_f1
    parts += re.findall(r"[a-z]+\d*", re.sub(r"([A-Z])", r" \1", monitor).lower())  # valLoss
    known = {*parts, *(part.rstrip("0123456789") for part in parts)}  # iou50
    falls = any(map(FALLS.fullmatch, known))
    if falls:
        known.discard("score")  # of what falls
    grows = any(map(GROWS.fullmatch, known))
    if "negative" in known or "neg" in known:
        falls, grows = grows, falls
    if falls == grows:
        message = f"mode is 'auto': cannot tell whether {monitor!r} should fall or grow"
        raise ValueError(f"{message}: expected mode='min' or mode='max'")
    return "max" if grows else "min"
