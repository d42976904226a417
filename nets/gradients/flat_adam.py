"""Adam for the one vector behind all parameters of a module."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .optim import OPTIMISERS


class FlatAdam(torch.optim.Adam):
    """Adam of one vector: torch's kernel, state and numbers, without the care for many parameters.

    m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; w ← w − α · m̂ / (√v̂ + ε) (curriculum N-OPT-12).
    Of a small network's step torch spends four fifths on groups, hooks and profiling: here a step
    is the kernel alone, and runs no hooks. On devices without that kernel the step is torch's.

    Args:
        weights: `[P]`, whose gradient is always there; see `flatten_parameters`.
        lr: α.
        eps: ε.
    """

    def __init__(self, weights: nn.Parameter, *, lr: float, eps: float = 1e-8) -> None:
        fused = weights.device.type in OPTIMISERS["adam"].fused_on
        super().__init__([weights], lr=lr, eps=eps, fused=fused)

    def moments(self) -> dict[str, Tensor]:
        """Return what is remembered: `step`, and m and v as `exp_avg` and `exp_avg_sq` `[P]`."""
        group = self.param_groups[0]
        weights = group["params"][0]
        if not self.state[weights]:
            self._init_group(group, [], [], [], [], [], [])
        return self.state[weights]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step along the gradient that is there."""
        group = self.param_groups[0]
        if not group["fused"]:
            return super().step(closure)
        loss = None if closure is None else closure()
        weights, state = group["params"][0], self.moments()
        state["step"] += 1
        beta1, beta2 = group["betas"]
        torch._fused_adam_(
            [weights],
            [weights.grad],
            [state["exp_avg"]],
            [state["exp_avg_sq"]],
            [],
            [state["step"]],
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )
        return loss

    step.hooked = True  # type: ignore[attr-defined]  # so that torch does not wrap it
