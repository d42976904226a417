"""Prioritised replay: rows are drawn as often as their predictions were wrong (Schaul et al.)."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..loop.experience import Array

BRANCHES = 64  # a gather of 64 neighbours costs as much as one of 2, and the tree has 3 levels
SMALLEST = 1e-6  # of a priority, so that no row is lost for ever


class SumTree:
    """Non-negative numbers by place, and their sums: those of 64, of 64 · 64, ...

    Every sum is made anew from the numbers below it, so that rounding does not pile up.
    """

    def __init__(self, capacity: int) -> None:
        sizes = [_blocks(capacity)]
        while sizes[-1] > 1:
            sizes.append(_blocks(sizes[-1]))
        self.levels = [np.zeros((size, BRANCHES)) for size in sizes]  # the numbers first

    @property
    def total(self) -> float:
        """The sum of all numbers."""
        return float(self.levels[-1].sum())

    def __getitem__(self, places: Array) -> Array:
        return self.levels[0].reshape(-1)[places]

    def __setitem__(self, places: Array, values: Array | float) -> None:
        """Write numbers at `places` `[M]`; where a place comes twice the last one holds."""
        self.levels[0].reshape(-1)[places] = values
        for below, above in pairwise(self.levels):
            places = places // BRANCHES
            above.reshape(-1)[places] = below[places].sum(axis=-1)

    def find(self, mass: Array) -> Array:
        """Return the place in which the running sum passes each of `mass` `[M]`, in [0, total).

        A place that holds 0 is never returned, unless all do.
        """
        node = np.zeros(len(mass), np.int64)
        for level in reversed(self.levels):
            sums = level[node].cumsum(axis=-1)  # [M, 64]
            mass = np.minimum(mass, np.nextafter(sums[:, -1], 0.0))  # two sums may round apart
            child = (sums <= mass[:, None]).sum(axis=-1)
            before = np.where(child > 0, sums[np.arange(len(mass)), child - 1], 0.0)
            mass, node = mass - before, node * BRANCHES + child
        return node

    def clear(self) -> None:
        """Make all numbers 0."""
        for level in self.levels:
            level.fill(0.0)


class Prioritized:
    """Draws place i with probability P(i) = pᵢ / Σ pₖ, where pᵢ = (|errorᵢ| + 1e-6)^α.

    New rows get the largest priority so far. Draws are stratified: one from each of B equal parts
    of the sum. The weights (N · P(i))^−β, over their maximum in the minibatch, undo the bias of
    unequal draws, all of it when the correction β is 1 (Schaul et al., 2016).

    Args:
        capacity: number of places.
        exponent: α; 0 draws uniformly.
    """

    def __init__(self, capacity: int, exponent: float) -> None:
        self.exponent = exponent
        self.priorities = SumTree(capacity)
        self.largest = 1.0

    def add(self, places: Array) -> None:
        """Give new rows at `places` `[M]` the largest priority so far."""
        self.priorities[places] = self.largest

    def draw(
        self, rng: np.random.Generator, shape: tuple[int, int], live: int, correction: float
    ) -> tuple[Array, Array]:
        """Return places `[K, B]` and their weights, of which `live` places hold rows."""
        total = self.priorities.total
        part = (np.arange(shape[1]) + rng.random(shape)) / shape[1]  # [K, B]
        places = self.priorities.find((part * total).reshape(-1)).reshape(shape)
        probability = self.priorities[places] / total
        weight = (live * probability) ** -correction
        return places, (weight / weight.max(axis=1, keepdims=True)).astype(np.float32)

    def renew(self, places: Array, error: Tensor) -> None:
        """Set the priorities at `places` `[K, B]` after new errors `[K, B]`."""
        size = error.detach().abs().cpu().numpy().astype(np.float64)
        priority = (size + SMALLEST) ** self.exponent
        self.priorities[places.reshape(-1)] = priority.reshape(-1)
        self.largest = max(self.largest, float(priority.max()))

    def clear(self) -> None:
        """Forget all rows."""
        self.priorities.clear()
        self.largest = 1.0

    def state_dict(self) -> dict[str, Any]:
        """The tree and the largest priority."""
        levels = np.concatenate(self.priorities.levels)
        return {"tree": torch.from_numpy(levels), "largest": self.largest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        begin = 0
        for level in self.priorities.levels:
            level[:] = state["tree"][begin : begin + len(level)].numpy()
            begin += len(level)
        self.largest = state["largest"]


def _blocks(numbers: int) -> int:
    return -(-numbers // BRANCHES)
