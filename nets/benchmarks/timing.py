"""Timing in turns: our side and its peers alternate in one process, ratios are taken per round.

Machines are shared and change their clocks; what slows a whole round down slows both sides, so the
ratio within a round is steadier than any figure in it.
"""

import gc
import importlib.util
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

Measure = Callable[[int], float]
"""Does a piece of work in the round with this number, and returns its figure."""


@dataclass(frozen=True)
class Side:
    """Somebody's way of doing the work of a case."""

    name: str
    measure: Measure


@dataclass(frozen=True)
class Need:
    """What a case cannot do without.

    Attributes:
        what: its name.
        there: whether it is there.
        remedy: what to type to get it.
        fetch: gets it; None where the remedy does.
    """

    what: str
    there: Callable[[], bool]
    remedy: str
    fetch: Callable[[], None] | None = None

    @classmethod
    def of_module(cls, module: str, extra: str) -> "Need":
        """Return the need of a module that one of our extras installs."""
        there = importlib.util.find_spec
        return cls(module, lambda: there(module) is not None, f"pip install 'dreamgym[{extra}]'")


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        name: what `--only` takes.
        what: the work, in words.
        work: how much of it is done in a round.
        unit: of the figures: a rate ("steps/s"), or "s" for the time that the work takes.
        ours: our side.
        peers: the others; the ratio that counts is the lowest.
        bar: the lowest acceptable ratio, how many times as fast as every peer; None for none.
        floor: the lowest acceptable figure of ours; None for none.
        rounds: how often the sides take turns.
        warm_up: whether an uncounted round comes first.
        needs: what the case says nothing without; None for nothing.
    """

    name: str
    what: str
    work: str
    unit: str
    ours: Side
    peers: tuple[Side, ...]
    bar: float | None = None
    floor: float | None = None
    rounds: int = 11
    warm_up: bool = True
    needs: Need | None = None

    @property
    def turns(self) -> int:
        """How many measurements the case takes."""
        return (self.rounds + self.warm_up) * (1 + len(self.peers))


@dataclass(frozen=True)
class Ratio:
    """How many times as fast as a peer we are: the median over rounds, and the extremes."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, ours: Sequence[float], peer: Sequence[float], unit: str) -> "Ratio":
        """Compare figures of the same rounds; seconds are better when they are fewer.

        A side that did not finish counts infinitely many seconds; if neither did, the ratio is 0.
        """
        pairs = list(zip(ours, peer, strict=True))
        if unit == "s":
            ratios = [0.0 if math.isinf(own) else other / own for own, other in pairs]
        else:
            ratios = [own / other for own, other in pairs]
        return cls(median(ratios), min(ratios), max(ratios))


@dataclass(frozen=True)
class Result:
    """The figures of a case, one per round and side."""

    case: Case
    ours: list[float]
    peers: Mapping[str, list[float]]

    @property
    def ratios(self) -> dict[str, Ratio]:
        """Our ratio to each peer."""
        return {
            n: Ratio.of(self.ours, figures, self.case.unit) for n, figures in self.peers.items()
        }

    @property
    def closest(self) -> str:
        """The peer that comes closest to us."""
        ratios = self.ratios
        return min(ratios, key=lambda name: ratios[name].median)

    @property
    def passed(self) -> bool:
        """Whether the bar and the floor are reached."""
        case = self.case
        ahead = case.bar is None or self.ratios[self.closest].median >= case.bar
        return ahead and (case.floor is None or median(self.ours) >= case.floor)


def take_turns(case: Case, tick: Callable[[], object] = lambda: None) -> Result:
    """Measure all sides of a case round by round, in the order A B A B ...

    Args:
        case: what to measure.
        tick: called after every measurement.
    """
    sides = (case.ours, *case.peers)
    figures: dict[str, list[float]] = {side.name: [] for side in sides}
    for turn in range(case.warm_up + case.rounds):
        for side in sides:
            figure = side.measure(turn)
            if turn >= case.warm_up:
                figures[side.name].append(figure)
            tick()
    return Result(case, figures.pop(case.ours.name), figures)


def rate(amount: int, work: Callable[[], object]) -> float:
    """Return `amount` per second of `work`, the garbage of what came before collected first."""
    gc.collect()
    started = perf_counter()
    work()
    return amount / (perf_counter() - started)
