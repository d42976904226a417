"""An average of a module's weights along training."""

from copy import deepcopy
from typing import Any, Generic, TypeVar

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ..glance import Shown
from ..inputs import explained

Module = TypeVar("Module", bound=nn.Module)


class ExponentialAverage(Shown, Generic[Module]):
    """A copy of a module whose weights trail behind: w̄ ← decay·w̄ + (1 - decay)·w.

    Floating buffers (the statistics of batch norm) are averaged in the same way, others copied.
    Unlike torch's `AveragedModel`, it never waits for the device.

    Args:
        module: what to follow.
        decay: in [0, 1).
        warmup: whether it is min(decay, (1 + t)/(10 + t)) at update t, so that a young average is
            one of the weights of lately, not of those that training began with (as TensorFlow's
            `num_updates` has it).
    """

    def __init__(self, module: Module, decay: float, *, warmup: bool = True) -> None:
        self.module = deepcopy(module).requires_grad_(False)
        self.decay, self.warmup = decay, warmup
        pairs = list(
            zip(
                [*self.module.parameters(), *self.module.buffers()],
                [*module.parameters(), *module.buffers()],
                strict=True,
            )
        )
        self._floating = [pair for pair in pairs if pair[0].is_floating_point()]
        self._others = [pair for pair in pairs if not pair[0].is_floating_point()]

    @property
    def facts(self) -> dict[str, Any]:
        """What it follows, and how slowly."""
        of = type(self.module).__name__
        return {"of": of, "decay": self.decay, "warmup": self.warmup}

    @torch.no_grad()
    def update(self, updates: int) -> None:
        """Take the module's present weights into the average.

        Args:
            updates: how many there have been before, t.
        """
        if self._floating:
            young = (1 + updates) / (10 + updates) if self.warmup else 1.0
            average = get_ema_multi_avg_fn(min(self.decay, young))
            average(*map(list, zip(*self._floating, strict=True)), None)
        for average, current in self._others:
            average.copy_(current)


@explained
def moving_average(signal: torch.Tensor, decay: float) -> torch.Tensor:
    """Return v̂_t = v_t/(1 − βᵗ), v_t = βv_{t−1} + (1 − β)x_t, v₀ = 0, of a signal (N-OPT-04).

    A mean over about the last 1/(1 − β) values; without the division it would begin too near 0.

    Args:
        signal: x `[T, ...]`.
        decay: β, in [0, 1).
    """
    value, averages = torch.zeros_like(signal[0]), []
    for t, x in enumerate(signal, start=1):
        value = torch.lerp(x, value, decay)
        averages.append(value / (1.0 - decay**t))
    return torch.stack(averages)
