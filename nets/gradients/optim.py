"""Optimisers by name, parameter groups, and gradient clipping."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ..arguments import named
from ..keywords import require_keywords
from ..near import shortened
from ..registry import Registry

Parameters: TypeAlias = nn.Module | Iterable[Tensor] | Iterable[dict[str, Any]]


@dataclass(frozen=True)
class Rule:
    """An optimiser class, the curriculum's defaults, and where torch has it fused."""

    optimiser: Callable[..., Optimizer]
    defaults: dict[str, Any] = field(default_factory=dict)
    fused_on: tuple[str, ...] = ()


def _averaged_momentum(
    params: Any, *, lr: float = 0.01, momentum: float = 0.9, **arguments: Any
) -> torch.optim.SGD:
    """SGD with momentum β and lr·(1 - β): v ← βv + (1 - β)g; w ← w - lr·v exactly.

    torch's `dampening` is another rule: it leaves the first gradient undamped (N-OPT-07).
    """
    return torch.optim.SGD(params, lr=lr * (1.0 - momentum), momentum=momentum, **arguments)


_EVERYWHERE = ("cpu", "cuda")

OPTIMISERS = Registry(
    "optimiser",
    {
        "sgd": Rule(torch.optim.SGD, {"lr": 0.01}, _EVERYWHERE),
        "momentum": Rule(torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}, _EVERYWHERE),
        "averaged_momentum": Rule(_averaged_momentum, {}, _EVERYWHERE),
        "nesterov": Rule(
            torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "nesterov": True}, _EVERYWHERE
        ),
        "adagrad": Rule(torch.optim.Adagrad, {"eps": 1e-7}, ("cpu",)),
        "adadelta": Rule(torch.optim.Adadelta, {"lr": 1.0, "rho": 0.9, "eps": 1e-6}),
        "rmsprop": Rule(torch.optim.RMSprop, {"alpha": 0.9, "eps": 1e-7}),
        "adam": Rule(torch.optim.Adam, {}, _EVERYWHERE),
        "adamw": Rule(torch.optim.AdamW, {}, _EVERYWHERE),
        "adamax": Rule(torch.optim.Adamax),
        "nadam": Rule(torch.optim.NAdam),
        "radam": Rule(torch.optim.RAdam),
    },
)


def optimizer(name: str, params: Parameters, **arguments: Any) -> Optimizer:
    """Build torch's optimiser called `name` (N-OPT-05 to N-OPT-15).

    The fused implementation is taken where torch has one for the parameters' device and dtype
    (as of Adam on the CPU), unless `fused` or `foreach` says otherwise.

    Args:
        name: `sgd`, `momentum`, `averaged_momentum`, `nesterov`, `adagrad`,
            `adadelta`, `rmsprop`, `adam`, `adamw`, `adamax`, `nadam` or `radam`.
        params: a module, or whatever torch's optimisers take. Given a module and a
            `weight_decay`, biases, norms and PReLU slopes do not decay (N-OPT-17).
        **arguments: arguments of torch's class (`lr`, `weight_decay`, ...).

    Raises:
        ValueError: if the name is unknown.
        TypeError: if the optimiser has no such argument.
    """
    if not isinstance(name, str):
        raise TypeError(f"name is {shortened(name)}: expected optimizer(name, parameters)")
    rule = OPTIMISERS[name]
    if isinstance(rule.optimiser, type):
        require_keywords(rule.optimiser, arguments)
    arguments = {**rule.defaults, **arguments}
    groups: list[Any]
    if isinstance(params, nn.Module) and arguments.get("weight_decay"):
        groups = parameter_groups(params, arguments["weight_decay"])
    elif isinstance(params, nn.Module):
        groups = list(params.parameters())
    else:
        groups = [_listed(group) for group in params]
    if not {"fused", "foreach", "differentiable", "capturable"} & arguments.keys():
        tensors = list(_tensors(groups))
        if all(p.device.type in rule.fused_on and p.is_floating_point() for p in tensors):
            arguments["fused"] = True
    return rule.optimiser(groups, **arguments)


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Let an optimiser step by `rate` from now on."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def _listed(group: Any) -> Any:
    """Return a group whose parameters can be read twice."""
    return {**group, "params": list(group["params"])} if isinstance(group, dict) else group


def _tensors(groups: Iterable[Any]) -> Iterator[Tensor]:
    """Yield the tensors of groups, of (name, tensor) pairs, or of tensors."""
    for group in groups:
        if isinstance(group, dict):
            yield from _tensors(group["params"])
        else:
            yield group[1] if isinstance(group, tuple) else group


_NORMS = (
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
)


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split the parameters into those that decay and those that do not (N-OPT-17).

    Weights of two and more dimensions decay. Biases, the scales and shifts of norm layers, PReLU
    slopes and other vectors and scalars do not.

    Returns:
        torch's parameter groups, each parameter with its name; an empty group is left out.
    """
    decay: list[tuple[str, Tensor]] = []
    keep: list[tuple[str, Tensor]] = []
    owners = dict(module.named_modules())
    for name, parameter in module.named_parameters():
        owner = owners[name.rpartition(".")[0]]
        exempt = parameter.dim() < 2 or isinstance(owner, _NORMS)
        (keep if exempt else decay).append((name, parameter))
    groups: list[dict[str, Any]] = [
        {"params": decay, "weight_decay": weight_decay},
        {"params": keep, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


@named
def clip_grads(
    params: Parameters,
    *,
    value: float | tuple[float, float] | None = None,
    norm: float | None = None,
    global_norm: float | None = None,
) -> Tensor:
    """Clip gradients in place, by exactly one of three rules.

    Args:
        params: a module or parameters; those without a gradient are passed over.
        value: clamp every element to [-value, value], or to (low, high) (N-GRAD-01).
        norm: g ← g·min(1, norm/‖g‖) for each tensor alone (N-GRAD-02).
        global_norm: the same with one factor for all, norm = √Σ‖g_i‖²; the direction of the
            whole gradient stays (N-GRAD-03).

    Returns:
        The global norm before clipping, a scalar tensor.

    Raises:
        ValueError: if not exactly one rule is given, or a bound is negative or reversed.
    """
    if [value, norm, global_norm].count(None) != 2:
        raise ValueError("give exactly one of value, norm and global_norm")
    tensors = params.parameters() if isinstance(params, nn.Module) else _tensors(params)
    grads = [p.grad for p in tensors if p.grad is not None]
    if not grads:
        return torch.zeros(())
    norms = torch.stack(torch._foreach_norm(grads))  # [number of tensors]
    total = norms[0] if len(grads) == 1 else torch.linalg.vector_norm(norms)
    if value is not None:
        low, high = (-value, value) if isinstance(value, int | float) else value
        if low > high:
            raise ValueError(f"value needs low <= high, got [{low}, {high}]")
        torch._foreach_clamp_min_(grads, low)
        torch._foreach_clamp_max_(grads, high)
    elif norm is not None:
        torch._foreach_mul_(grads, _factor(norm, norms).unbind())
    elif global_norm is not None:
        if total.device.type != "cpu":  # where to read the norm would be to wait for it
            torch._foreach_mul_(grads, _factor(global_norm, total))
        elif total.item() > _limit(global_norm):
            torch._foreach_mul_(grads, global_norm / total.item())
    return total


def _factor(limit: float, norms: Tensor) -> Tensor:
    """Return min(1, limit/norm) of each norm; 0 for a norm and a limit of 0."""
    return (_limit(limit) / norms.clamp(min=torch.finfo(norms.dtype).tiny)).clamp(max=1.0)


def _limit(norm: float) -> float:
    """Return a norm to clip to, if it is one."""
    if norm < 0.0:
        raise ValueError(f"a norm to clip to must not be negative, got {norm}")
    return norm
