"""Learning rates that change, by name (curriculum N-SCH): torch's own schedulers."""

from collections.abc import Callable
from typing import Any, TypeAlias

from torch.optim import Optimizer, lr_scheduler

from ..arguments import named
from ..registry import Registry

Scheduler: TypeAlias = lr_scheduler.LRScheduler


def _inverse_time(optimizer: Optimizer, *, rate: float) -> Scheduler:
    """α_e = α₀ / (1 + rate·e)."""
    return lr_scheduler.LambdaLR(optimizer, lambda epoch: 1.0 / (1.0 + rate * epoch))


def _linear(optimizer: Optimizer, *, steps: int) -> Scheduler:
    """α_e = α₀·(steps − e)/steps, 0 from there on."""
    return lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)


def _step(optimizer: Optimizer, *, every: int, factor: float = 0.1) -> Scheduler:
    """α_e = α₀·factor^⌊e/every⌋."""
    return lr_scheduler.StepLR(optimizer, every, factor)


def _milestones(optimizer: Optimizer, *, at: list[int], factor: float = 0.1) -> Scheduler:
    """Multiply α by `factor` at each of the epochs `at`."""
    return lr_scheduler.MultiStepLR(optimizer, at, factor)


def _exponential(optimizer: Optimizer, *, factor: float) -> Scheduler:
    """α_e = α₀·factorᵉ."""
    return lr_scheduler.ExponentialLR(optimizer, factor)


def _cosine(optimizer: Optimizer, *, steps: int, low: float = 0.0) -> Scheduler:
    """α_e = low + ½(α₀ − low)(1 + cos(πe/steps))."""
    return lr_scheduler.CosineAnnealingLR(optimizer, steps, low)


def _function(optimizer: Optimizer, *, factor: Callable[[int], float]) -> Scheduler:
    """α_e = α₀·factor(e)."""
    return lr_scheduler.LambdaLR(optimizer, factor)


def _plateau(optimizer: Optimizer, **arguments: Any) -> Scheduler:
    """Lower α when the metric given to `step(metric)` has stalled."""
    return lr_scheduler.ReduceLROnPlateau(optimizer, **arguments)


SCHEDULES: Registry[Callable[..., Scheduler]] = Registry(
    "schedule",
    {
        "inverse_time": _inverse_time,
        "linear": _linear,
        "step": _step,
        "milestones": _milestones,
        "exponential": _exponential,
        "cosine": _cosine,
        "function": _function,
        "plateau": _plateau,
    },
    aliases={"lambda": "function", "multi_step": "milestones", "reduce_on_plateau": "plateau"},
)


def schedule(name: str, optimizer: Optimizer, *, warmup: int = 0, **arguments: Any) -> Scheduler:
    """Build torch's scheduler called `name`; call its `step()` after each epoch (or step) e.

    Args:
        name: `inverse_time` (rate), `linear` (steps), `step` (every, factor), `milestones` (at,
            factor), `exponential` (factor), `cosine` (steps, low), `function` (factor), or
            `plateau` (arguments of torch's `ReduceLROnPlateau`).
        optimizer: whose learning rates change.
        warmup: epochs over which the rate rises linearly from α₀/(warmup + 1), before the schedule
            begins.
        **arguments: of the schedule, as listed.

    Raises:
        ValueError: if the name is unknown, or a plateau is to be warmed up to.
        TypeError: if the schedule has no such argument.
    """
    build = named(SCHEDULES[name])
    if not warmup:
        return build(optimizer, **arguments)
    if SCHEDULES.canonical(name) == "plateau":
        raise ValueError("a plateau follows a metric: it has no place after a warm-up")
    rising = lr_scheduler.LinearLR(optimizer, 1.0 / (warmup + 1), 1.0, total_iters=warmup)
    main = build(optimizer, **arguments)
    return lr_scheduler.SequentialLR(optimizer, [rising, main], [warmup])
