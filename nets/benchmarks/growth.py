"""How a figure grows with a size, beside the limit that the machine sets."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from statistics import median
from time import perf_counter

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

PRODUCT = 1024  # rows and columns of the matrices that tell the machine's speed
ROUNDS = 3

Work = Callable[[], object]
"""A piece of work, that can be done again."""

Measure = Callable[[int], tuple[float, float]]
"""Returns the figure at a size, and its limit there."""


@dataclass(frozen=True)
class Point:
    """The figure at one size, and what no program could exceed there, or fall below."""

    size: int
    figure: float
    limit: float


@dataclass(frozen=True)
class Line:
    """One thing that grows.

    Attributes:
        name: in the legend.
        measure: returns the figure and its limit at a size.
        sizes: at which it is measured.
    """

    name: str
    measure: Measure
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Growth:
    """Figures of one unit along one size.

    Attributes:
        name: what `--only` takes.
        what: is measured, in words.
        along: the size, in words.
        unit: of the figures.
        limit: what the limit is, in words.
        lines: what is measured.
    """

    name: str
    what: str
    along: str
    unit: str
    limit: str
    lines: tuple[Line, ...]

    def points(self, tick: Callable[[], object]) -> dict[str, list[Point]]:
        """Measure every line at its sizes; `tick` is called after every point."""
        measured: dict[str, list[Point]] = {}
        for line in self.lines:
            measured[line.name] = points = []
            for size in line.sizes:
                points.append(Point(size, *line.measure(size)))
                tick()
        return measured


def seconds(work: Work) -> float:
    """Return the median time of a piece of work over three rounds, after one to warm up."""
    work()
    gc.collect()
    return median(_timed(work) for _ in range(ROUNDS))


def allowed(work: Work, amount: int, dtype: torch.dtype) -> float:
    """Return how much per second the products of `work` allow, were all as fast as the largest."""
    with FlopCounterMode(display=False) as counter:
        work()
    return amount * products_per_second(dtype) / counter.get_total_flops()


@cache
def products_per_second(dtype: torch.dtype) -> float:
    """Return how many multiplications and additions per second a square product reaches."""
    left, right = (torch.randn(PRODUCT, PRODUCT).to(dtype) for _ in range(2))
    out = torch.empty_like(left)

    def multiply() -> Tensor:
        return torch.mm(left, right, out=out)

    multiply()
    return 2 * PRODUCT**3 / min(_timed(multiply) for _ in range(7 * ROUNDS))


def _timed(work: Work) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started
