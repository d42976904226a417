"""Factors that an archive knows of its rows, and names of classes and factors."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from .arrays import Member

Names = tuple[str, ...]

MOST_FACTORS = 1000
FACTORS = ("factors", "latents_classes")  # the second is dSprites' own


class NoNames(ValueError):
    """What lies under the name of names is none; the message says why."""


def factors_of(members: Mapping[str, Member], rows: int) -> tuple[Tensor | None, Names, list[str]]:
    """Return the factors `[rows, F]` that vary, their names, and what is to be said of them.

    Nobody asks for them: what are no integers, of other rows, or not as many as their names, are
    passed over, and it is said why.
    """
    source = next((name for name in FACTORS if name in members), None)
    if source is None:
        return None, (), []
    try:
        names = names_of(members, "factor_names", MOST_FACTORS)
        return *_varying(_whole(members[source], rows), names), []
    except ValueError as error:
        return None, (), [f"no factors from {source}: {error}"]


def _varying(factors: Tensor, names: Names) -> tuple[Tensor | None, Names]:
    """Return the factors that are not constant, their values counted from 0, and their names."""
    names = names or tuple(f"factor {k}" for k in range(factors.shape[1]))
    if len(names) != factors.shape[1]:
        raise ValueError(f"{factors.shape[1]} factors have {len(names)} names")
    values = [column.unique(return_inverse=True) for column in factors.unbind(dim=1)]
    kept = [k for k, (found, _) in enumerate(values) if len(found) > 1]
    if not kept:
        return None, ()
    return torch.stack([values[k][1] for k in kept], dim=1), tuple(names[k] for k in kept)


def _whole(factors: Member, rows: int) -> Tensor:
    """Return factors as int64, which may take eight times their room."""
    shape = list(factors.shape)
    if not np.issubdtype(factors.dtype, np.integer):
        raise ValueError(f"they are {factors.dtype}, expected whole numbers")
    if len(shape) != 2 or shape[0] != rows:
        raise ValueError(f"they have shape {shape} for {rows:,} rows")
    if math.prod(shape) > rows * MOST_FACTORS:
        message = f"they have shape {shape} for {rows:,} rows"
        raise ValueError(f"{message}, expected at most {MOST_FACTORS:,} of each")
    return torch.from_numpy(factors.read().astype(np.int64))


def names_of(members: Mapping[str, Member], part: str, most: int) -> Names:
    """Return the names that an archive has under `part`, at most `most`; none where it has none.

    Raises:
        NoNames: it has more there, or something else.
    """
    member = members.get(part)
    if member is None:
        return ()
    if len(member.shape) != 1 or len(member) > most:
        shape = list(member.shape)
        raise NoNames(f"{part} have shape {shape}, expected at most {most:,} names")
    return tuple(map(str, member.read().tolist()))
