"""What models are asked for: how many samples, of which classes, of which rows."""

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from nets.near import shortened

Label: TypeAlias = Tensor | Sequence[int] | int | None
"""Classes of samples: of each, or one for all; None draws them."""


def asked(label: Label, n: int, classes: int, name: str, device: torch.device) -> Tensor | None:
    """Return the classes `[n]` int64 that are asked for; None of a model that knows none.

    Args:
        label: classes `[n]`, or one for all; None draws them.
        n: how many.
        classes: that there are, K; 0 where the model is not conditional.
        name: of the model.
        device: where it is.

    Raises:
        ValueError: the model is not conditional, or there are no such classes.
        TypeError: they are no integers.
    """
    if label is None:
        return torch.randint(classes, (n,), device=device) if classes else None
    if not classes:
        raise ValueError(f"this {name} is not conditional: it takes no label")
    try:
        given = torch.as_tensor(label, device=device)
    except (TypeError, ValueError, RuntimeError):  # a name, or rows of several lengths
        raise TypeError(f"label is {shortened(label)}: expected integers") from None
    if given.is_floating_point() or given.is_complex() or given.dtype == torch.bool:
        raise TypeError(f"label is of {given.dtype}: expected integers")
    given = (given.expand(n) if given.dim() == 0 else given).long()
    if torch.compiler.is_compiling():  # a program that is exported cannot look at numbers
        return given
    if given.shape != (n,):
        raise ValueError(f"label has shape {list(given.shape)}: expected one class, or [{n}]")
    wrong = given[(given < 0) | (given >= classes)]
    if len(wrong):
        raise ValueError(f"label is {int(wrong[0])}: expected 0 to {classes - 1}")
    return given


def require_rows(name: str, rows: Tensor, shape: Sequence[int]) -> None:
    """Refuse what is no tensor `[B, *shape]` of floats.

    Args:
        name: of the argument.
        rows: what was given.
        shape: of a row.

    Raises:
        TypeError: it is no tensor of floats.
        ValueError: it has another shape.
    """
    if not isinstance(rows, Tensor):
        raise TypeError(f"{name} is {shortened(rows)}: expected a tensor {_shape(shape)}")
    if not rows.is_floating_point():
        raise TypeError(f"{name} is of {rows.dtype}: expected floats {_shape(shape)}")
    if rows.dim() != len(shape) + 1 or tuple(rows.shape[1:]) != tuple(shape):
        raise ValueError(f"{name} has shape {list(rows.shape)}: expected {_shape(shape)}")


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, ('B', *shape)))}]"
