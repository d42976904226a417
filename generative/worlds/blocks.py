"""Rows computed so that none depends on how many there are."""

from collections.abc import Callable

import torch
from torch import Tensor

BLOCK = 64
"""Rows that are computed together on the CPU, where sums depend on how many there are."""


def in_blocks(function: Callable[..., tuple[Tensor, ...]], *columns: Tensor) -> tuple[Tensor, ...]:
    """Call `function` on 64 rows at a time, so that no row depends on how many there are.

    Args:
        function: of columns `[B, *]`, returns columns `[B, *]`.
        columns: `[N, *]`; on another device than the CPU they are handed over whole.
    """
    rows = len(columns[0])
    if columns[0].device.type != "cpu" or rows == BLOCK:
        return function(*columns)
    missing = -rows % BLOCK
    padded = [torch.cat([c, c[-1:].expand(missing, *c.shape[1:])]) for c in columns]
    blocks = zip(*(column.split(BLOCK) for column in padded), strict=True)
    results = zip(*(function(*block) for block in blocks), strict=True)
    return tuple(torch.cat(parts)[:rows] for parts in results)
