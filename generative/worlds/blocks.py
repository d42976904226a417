"""Rows computed so that none depends on how many there are."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

BLOCK = 64
"""Rows that are computed together on the CPU, where sums depend on how many there are."""


FEW = 4
"""Outputs below which a product's sums depend on the row's place, without AVX: see `Evenly`."""


class Evenly(TorchFunctionMode):
    """Gives every product of few outputs some more, so that all of its rows are summed alike.

    Without AVX, MKL sums products of two and three columns in another order at some rows.
    """

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call a function of torch; `F.linear` with zeros below its weights."""
        if function is F.linear and len(args[1]) < FEW:
            x, weight, *bias = args
            more = FEW - len(weight)
            y = F.linear(x, F.pad(weight, (0, 0, 0, more)))[..., : len(weight)]
            return y if not bias or bias[0] is None else y + bias[0]
        return function(*args, **(kwargs or {}))


def in_blocks(function: Callable[..., tuple[Tensor, ...]], *columns: Tensor) -> tuple[Tensor, ...]:
    """Call `function` on 64 rows at a time, so that no row depends on how many there are.

    Args:
        function: of columns `[B, *]`, returns columns `[B, *]`.
        columns: `[N, *]`; on another device than the CPU they are handed over whole.
    """
    rows = len(columns[0])
    if columns[0].device.type != "cpu":
        return function(*columns)
    missing = -rows % BLOCK
    if missing:
        columns = tuple(torch.cat([c, c[-1:].expand(missing, *c.shape[1:])]) for c in columns)
    blocks = zip(*(column.split(BLOCK) for column in columns), strict=True)
    with Evenly() if torch.backends.cpu.get_cpu_capability() == "DEFAULT" else nullcontext():
        results = [*zip(*(function(*block) for block in blocks), strict=True)]
    return tuple(torch.cat(parts)[:rows] for parts in results)
