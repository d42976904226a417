"""Samples, however many: in parts, each of which fits into memory."""

from collections.abc import Iterator

import torch
from torch import Tensor

from .model import GenerativeModel

PART = 1000


def classes_in_turn(model: GenerativeModel, n: int) -> Tensor | None:
    """Return one class after the other, int64 `[n]`; None of a model that is not conditional."""
    return torch.arange(n, device=model.device) % model.classes if model.classes else None


def at_once(model: GenerativeModel, n: int, label: Tensor | None = None) -> Tensor:
    """Draw `n` samples in parts, and return all, `[n, *shape]`; arguments of `sampled`.

    Raises:
        ValueError: no memory holds them.
    """
    return torch.cat(list(sampled(model, model.many(n), label)))


def sampled(
    model: GenerativeModel, n: int, label: Tensor | None = None, *, part: int = PART
) -> Iterator[Tensor]:
    """Draw `n` samples, and yield them in parts `[B, *shape]`.

    Args:
        model: what is sampled from.
        n: how many in all.
        label: classes `[n]` int64 that a conditional model is asked for; drawn when None.
        part: samples that are drawn at once, at most.
    """
    for start in range(0, n, part):
        count = min(part, n - start)
        yield model.sample(count, None if label is None else label[start : start + count])
