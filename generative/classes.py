"""Classes that samples are asked for by."""

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

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
    given = torch.as_tensor(label, device=device)
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
