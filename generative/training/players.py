"""How a player takes its gradient step: precision, learning rate, clipping, several processes."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from nets.gradients.annealing import cosine, is_number, left_of, linear
from nets.gradients.optim import clip_grads, optimizer, set_rate
from nets.layers.precision import has_bfloat16
from nets.process.distributed import ALONE, Team

from ..config import ModelConfig
from ..model import GenerativeModel, Loss, Player

SMALLEST_ON_CPU = 28 * 28


class PlayerLoss(nn.Module):
    """A player's loss as the forward pass of its module, so that it can be wrapped and compiled."""

    def __init__(self, player: Player) -> None:
        super().__init__()
        self.module, self.loss, self.make = player.module, player.loss, player.batch

    def forward(self, *columns: Tensor | None) -> Loss:
        """Return the loss of a batch."""
        return self.loss(self.make(columns))


class PlayerOptimiser:
    """Adam on one player's module; everything else of the model is held fixed in its turn.

    The only player of a model reports `loss`, one of several `discriminator_loss` and so on.

    Args:
        model: the model that the player is of.
        player: whose loss is lowered.
        autocast: makes the context of mixed precision.
        team: the processes that train together.
    """

    def __init__(
        self,
        model: GenerativeModel,
        player: Player,
        autocast: Callable[[], AbstractContextManager[None]] = nullcontext,
        team: Team = ALONE,
    ) -> None:
        config: ModelConfig = model.config
        self.player, self.max_grad_norm, self.autocast = player, config.max_grad_norm, autocast
        self.prefix = f"{player.name}_" if len(model.players()) > 1 else ""
        self.loss_name = f"{self.prefix}loss"
        self.own = [p for p in player.module.parameters() if p.requires_grad]
        owned = set(map(id, self.own))
        self.others = [p for p in model.parameters() if p.requires_grad and id(p) not in owned]
        rate = config.learning_rate if is_number(config.learning_rate) else 0.0  # until a step
        self.adam = optimizer("adam", self.own, lr=rate, betas=config.betas)
        loss = PlayerLoss(player)
        if config.compile:
            loss.compile(dynamic=False)
        self._hold(True)
        self.loss = team.parallel(loss)
        self._hold(False)

    def step(self, batch: tuple[Any, ...], learning_rate: float) -> dict[str, Tensor]:
        """Take one gradient step; return the loss and the metrics, left on the device."""
        self._hold(True)
        try:
            with self.autocast():
                loss = self.loss(*batch)
            loss.value.backward()
        finally:
            self._hold(False)
        metrics = {self.loss_name: loss.value.detach(), **loss.metrics}
        if self.max_grad_norm:
            metrics[f"{self.prefix}grad_norm"] = clip_grads(
                self.own, global_norm=self.max_grad_norm
            )
        set_rate(self.adam, learning_rate)
        self.adam.step()
        self.adam.zero_grad()
        return metrics

    def _hold(self, fixed: bool) -> None:
        """Hold the others' parameters fixed, or let them go."""
        for parameter in self.others:
            parameter.requires_grad_(not fixed)


def learning_rate(config: ModelConfig, step: int, horizon: int = 0) -> float:
    """Return η(t): it rises linearly over `warmup_steps` W, then falls to 0 at `anneal_steps` A.

    η·(t + 1)/W for t < W; then with u = (t − W)/(A − W) the cosine η·½(1 + cos πu) (Loshchilov &
    Hutter, 2017) or the line η·(1 − u), and 0 from A on. A function is asked with 1 − t / A, where
    A is the `horizon`, the step at which the training in progress ends, unless a setting says it.
    """
    c, t = config, step - config.warmup_steps
    rate, number = c.learning_rate, is_number(c.learning_rate)
    if not number:
        end = c.anneal_steps or horizon
        rate = left_of(rate, linear(step, 1.0, 0.0, end) if end else 1.0, name="learning_rate")
    if t < 0:
        return linear(step + 1, 0.0, rate, c.warmup_steps)
    if not (c.anneal_steps and number):
        return rate
    falling = cosine if c.schedule == "cosine" else linear
    return c.learning_rate * falling(t, 1.0, 0.0, c.anneal_steps - c.warmup_steps)


def mixed_precision(
    config: ModelConfig, device: torch.device, shape: tuple[int, ...]
) -> Callable[[], AbstractContextManager[None]]:
    """Return what makes the context in which losses are computed.

    `precision="auto"` means bfloat16 for pictures on devices with units for it, else float32; on
    the CPU only for those of 28x28 values and more, as casting the weights costs more than it gains
    below. Weights, optimiser and losses stay in float32 in either case.
    """
    halved = config.precision == "bfloat16"
    if config.precision == "auto":
        large = math.prod(shape) >= SMALLEST_ON_CPU or device.type != "cpu"
        halved = len(shape) == 3 and large and has_bfloat16(device)
    if not halved:
        return nullcontext
    return partial(torch.autocast, device.type, torch.bfloat16)
