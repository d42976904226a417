"""Factors that an archive knows of its rows, and names of classes and factors."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .arrays import Member

Names = tuple[str, ...]

MOST_FACTORS = 1000
FACTORS = ("factors", "latents_classes")  # the second is dSprites' own


def factors_of(path: Path, members: Mapping[str, Member], rows: int) -> tuple[Tensor | None, Names]:
    """Return the factors `[rows, F]` that vary, and their names; None where there are none.

    Raises:
        TypeError: they are no integers.
        ValueError: there are too many, or not as many as names.
    """
    factors = next((members[name] for name in FACTORS if name in members), None)
    names = names_of(path, members, "factor_names", MOST_FACTORS)
    return _varying(path, _whole(path, factors, rows), names)


def _varying(path: Path, factors: Tensor | None, names: Names) -> tuple[Tensor | None, Names]:
    """Return the factors that are not constant, their values counted from 0, and their names."""
    if factors is None or factors.ndim != 2:
        return factors, names
    names = names or tuple(f"factor {k}" for k in range(factors.shape[1]))
    if len(names) != factors.shape[1]:
        raise ValueError(f"{path}: {factors.shape[1]} factors have {len(names)} names")
    values = [column.unique(return_inverse=True) for column in factors.unbind(dim=1)]
    kept = [k for k, (found, _) in enumerate(values) if len(found) > 1]
    if not kept:
        return None, ()
    return torch.stack([values[k][1] for k in kept], dim=1), tuple(names[k] for k in kept)


def _whole(path: Path, factors: Member | None, rows: int) -> Tensor | None:
    """Return factors as int64, which may take eight times their room."""
    if factors is None:
        return None
    if not np.issubdtype(factors.dtype, np.integer):
        raise TypeError(f"{path}: factors are {factors.dtype}, expected integers")
    if math.prod(factors.shape) > rows * MOST_FACTORS:
        message = f"{path}: factors have shape {list(factors.shape)} for {rows:,} rows"
        raise ValueError(f"{message}, expected at most {MOST_FACTORS:,} of each")
    return torch.from_numpy(factors.read().astype(np.int64))


def names_of(path: Path, members: Mapping[str, Member], part: str, most: int) -> Names:
    """Return the names that an archive has under `part`, at most `most`; none where it has none."""
    member = members.get(part)
    if member is None:
        return ()
    if len(member.shape) != 1 or len(member) > most:
        message = f"{path}: {part} have shape {list(member.shape)}"
        raise ValueError(f"{message}, expected at most {most:,} names")
    return tuple(map(str, member.read().tolist()))
