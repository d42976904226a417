"""What masks do to numbers, one for each action, of which the largest or the likeliest is taken."""

from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]
Rows = TypeVar("Rows", Array, Tensor)
SHARE = 2.0**-32  # of the lowest number: −8·10²⁸ in single precision


def library(rows: Array | Tensor) -> Any:
    """Return what computes with `rows`: NumPy or torch."""
    return np if isinstance(rows, np.ndarray) else torch


def masked(values: Rows, mask: Rows | None) -> Rows:
    """Return values `[..., A]` with a number far below all others where `mask` is False.

    Among logits that is a probability of exactly 0, with a slope of exactly 0; among action values
    it is never the largest. Unlike −∞ and the lowest number it has finite multiples: 0 log 0 is 0,
    and so are its slopes, where autograd would find NaN.

    Args:
        values: `[..., A]`, floats.
        mask: bool `[..., A]`, which actions are allowed, at least one; None: all.
    """
    if mask is None:
        return values
    xp = library(values)
    return xp.where(mask, values, xp.finfo(values.dtype).min * SHARE)
