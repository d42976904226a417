"""Which training a checkpoint of `fit` is of: none must go on with what is another's."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import CodeType, NoneType
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler

from ..runs.checkpoint import CheckpointError
from ..runs.fingerprints import content
from ..warned import warn

if TYPE_CHECKING:
    from .fit import FitConfig

PLAIN = (bool, int, float, str, NoneType)

Described = dict[str, Any]
"""What stays the same from the beginning of a training to its end, by the names of its parts."""


def described(
    train: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor] | None,
    loss: Callable[..., Tensor],
    config: "FitConfig",
    parts: Mapping[str, Any],
) -> Described:
    """Describe a training: its rows and the numbers of its loss by their content, its network by
    what it is made of.

    Args:
        train: inputs and targets.
        validation: the same of rows held out, if any.
        loss: of outputs and targets.
        config: of which the number of epochs does not count.
        parts: with `network` and `optimizer`, and with `scheduler` and `early_stopping` if there
            are any.
    """
    optimizer, scheduler = parts["optimizer"], parts.get("scheduler")
    settings = {name: value for name, value in asdict(config).items() if name != "epochs"}
    stopping = parts.get("early_stopping")
    return {
        "training rows": content(train),
        "validation rows": None if validation is None else content(validation),
        "loss": _named(loss),
        "settings of the loss": _settings(loss),
        "code of the loss": _code(loss),
        "network": [f"{name or 'all'}: {_part(p)}" for name, p in parts["network"].named_modules()],
        "config": settings,
        "scheduler": None if scheduler is None else type(scheduler).__name__,
        "optimizer": type(optimizer).__name__,
        "settings of the optimizer": _groups(optimizer.state_dict()["param_groups"]),
        "early stopping": None if stopping is None else stopping.settings,
    }


def require_same(file: str | Path, state: Mapping[str, Any], about: Described) -> None:
    """Raise `CheckpointError` where the `state` of a file is of another training.

    Files of before they said whose they are are taken as they come.
    """
    begun = state.get("training")
    if not isinstance(begun, Mapping):
        return
    moved = _groups(state["optimizer"]["param_groups"])  # as a callback may have left them
    for name, now in about.items():
        then = begun.get(name, now)  # files of before told less
        if now == then or (name == "settings of the optimizer" and now == moved):
            continue
        message = f"{file} is of another training, whose {name}"
        if isinstance(now, str) and name.endswith("rows"):
            message += " differ"
        else:
            message += ": {}, and now: {}".format(*_apart(then, now))
        raise CheckpointError(f"{message}; remove it, or choose another file")


def require_own(
    network: nn.Module,
    optimizer: Optimizer,
    scheduler: lr_scheduler.LRScheduler | None,
    *,
    resumes: bool,
) -> None:
    """Raise `ValueError` where what a training is made of belongs to another one.

    Of an optimizer that has gathered moments before it is warned: they may be wanted.

    Args:
        network: that is to learn.
        optimizer: that has to step at least one parameter of it.
        scheduler: that has to be of this optimizer, and new.
        resumes: whether the scheduler's state is about to be read from a file.
    """
    stepped = {id(p) for group in optimizer.param_groups for p in group["params"]}
    learned = [p for p in network.parameters() if p.requires_grad]
    if learned and not any(id(p) in stepped for p in learned):
        message = "the optimizer steps no parameter of the network"
        raise ValueError(f"{message}: expected one that was made of this network")
    if scheduler is not None and scheduler.optimizer is not optimizer:
        raise ValueError("the scheduler is of another optimizer: expected one of this optimizer")
    if scheduler is not None and scheduler.last_epoch > 0 and not resumes:
        message = f"the scheduler has taken {scheduler.last_epoch} steps already"
        raise ValueError(f"{message}: expected a new one, for a training that begins anew")
    gathered = (value for state in optimizer.state.values() for value in state.values())
    if not resumes and any(isinstance(value, Tensor) for value in gathered):
        message = "the optimizer has moments of steps before this training, and goes on with them"
        warn(f"{message}: give a new one where the training is to begin anew")


def plain(value: Any) -> Any:
    """Return a state without subclasses of dict: schedules keep their milestones in a Counter."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def _named(loss: Callable[..., Tensor]) -> list[str]:
    """Return what a loss is called, with its settings, and the content of its numbers."""
    if isinstance(loss, nn.Module):
        return [repr(loss), content(loss.state_dict().values())]
    kind = loss if hasattr(loss, "__qualname__") else type(loss)
    return [f"{kind.__module__}.{kind.__qualname__}"]


def _settings(loss: Any) -> list[str]:
    """Return what is set of a loss: the plain fields of modules, what functions were made with."""
    if isinstance(loss, nn.Module):
        return [
            f"{place}{'.' * bool(place)}{field}={value!r}"
            for place, module in loss.named_modules()
            for field, value in vars(module).items()
            if isinstance(value, PLAIN) and not field.startswith("_") and field != "training"
        ]
    if isinstance(loss, partial):
        given = (*loss.args, *sorted(loss.keywords.items()))
        return [*_named(loss.func), *_settings(loss.func), *map(_told, given)]
    code = getattr(loss, "__code__", None)
    if code is None:
        return []
    cells = [cell.cell_contents for cell in loss.__closure__ or ()]
    values = (*code.co_consts, *(loss.__defaults__ or ()), *cells)
    return [_told(value) for value in values if not isinstance(value, CodeType)]


def _code(loss: Any) -> list[str]:
    """Return what a function names, in the order in which it does, with the numbers among it."""
    code = getattr(loss, "__code__", None)
    if code is None:
        return []
    found = {name: loss.__globals__.get(name) for name in code.co_names}
    return [
        f"{name}={_told(value)}" if isinstance(value, (*PLAIN[:-1], Tensor)) else name
        for name, value in found.items()
    ]


def _told(value: Any) -> str:
    """Return a value by its content, as far as it has one that outlives the process."""
    if isinstance(value, Tensor):
        return content([value])
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_told, value))})"
    if callable(value):
        return f"{_named(value)} {_settings(value)}"
    return repr(value) if isinstance(value, PLAIN) else type(value).__name__


def _part(module: nn.Module) -> str:
    """Return a part of a network without what it is made of."""
    return f"{type(module).__name__}({module.extra_repr()})"


def _apart(then: Any, now: Any) -> tuple[Any, Any]:
    """Return of two lists what only one of them has, else both as they are."""
    if not (isinstance(then, list) and isinstance(now, list)):
        return then, now
    return [each for each in then if each not in now], [each for each in now if each not in then]


def _groups(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the settings of each group of parameters, as they were before any schedule."""
    settings = [
        {name: _number(value) for name, value in group.items() if name != "params"}
        for group in groups
    ]
    return [group | {"lr": group.get("initial_lr", group["lr"])} for group in settings]


def _number(value: Any) -> Any:
    """Return a setting as a file gives it back."""
    value = value.item() if isinstance(value, Tensor) else value
    return list(value) if isinstance(value, tuple) else value
