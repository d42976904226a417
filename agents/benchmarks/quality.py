"""The quality table: what algorithms reach on environments, beside values that are known.

References are exact where the text says so: closed forms and dynamic programming for Lake (V* of
the start .542026 at γ = .99, 14/17 at γ = 1; best success within the time limit .744190, 8x8
.913220), Cliff (-13, slippery -64.709176) and Taxi-v4 (7.93, mean over its starts); the reward
threshold of CartPole-v1, 475; the maximum of Catch, 1.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .experiments import Advantage, Best, Experiment, Trained, run_once


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        name: what `--only` takes.
        what: the figure, in words.
        experiment: what gives it for a seed.
        reference: what it is compared with.
        low: least figure that passes.
        high: largest figure that passes.
        every_seed: whether each seed must pass, not only their median.
        seeded: whether the figure depends on the seed at all.
    """

    name: str
    what: str
    experiment: Experiment
    reference: float
    low: float = -math.inf
    high: float = math.inf
    every_seed: bool = False
    seeded: bool = True

    def seeds(self, count: int) -> range:
        """The seeds to run when `count` are asked for."""
        return range(count if self.seeded else 1)

    def passes(self, figures: Iterable[float]) -> bool:
        """Whether figures, one per seed, are good enough."""
        figures = list(figures)
        judged = figures if self.every_seed else [median(figures)]
        return all(self.low <= figure <= self.high for figure in judged)


TOLERANCE = 1e-6


def exactly(
    name: str, what: str, experiment: Experiment, reference: float, *, seeded: bool = False
) -> Row:
    """Return a row whose figures must equal the reference to 1e-6, for every seed."""
    low, high = reference - TOLERANCE, reference + TOLERANCE
    return Row(name, what, experiment, reference, low, high, every_seed=True, seeded=seeded)


def _planning() -> Iterable[Row]:
    problems = (
        ("lake", "dreamgym/Lake-v0", 0.99, 0.542026),
        ("lake-undiscounted", "dreamgym/Lake-v0", 1.0, 14 / 17),
        ("lake-8x8", "dreamgym/Lake8x8-v0", 0.99, 0.414640),
        ("cliff", "dreamgym/Cliff-v0", 1.0, -13.0),
        ("cliff-slippery", "dreamgym/CliffSlippery-v0", 1.0, -64.709176),
        ("frozen-lake", "FrozenLake-v1", 0.99, 0.542026),
        ("frozen-lake-8x8", "FrozenLake8x8-v1", 0.99, 0.414640),
        ("cliff-walking", "CliffWalking-v1", 1.0, -13.0),
        ("cliff-walking-slippery", "CliffWalkingSlippery-v1", 1.0, -64.709176),
        ("taxi", "Taxi-v4", 1.0, 7.93),
    )
    for name, env_id, discount, value in problems:
        for algorithm in ("value-iteration", "policy-iteration"):
            planned = Trained(algorithm, env_id, "start_value", 1, {"discount": discount})
            what = f"{algorithm} on {env_id}, γ = {discount:g}: value of the start"
            yield exactly(f"{algorithm}-{name}", what, planned, value)


def _success() -> Iterable[Row]:
    for name, env_id, value in (
        ("lake", "dreamgym/Lake-v0", 0.744190),
        ("lake-8x8", "dreamgym/Lake8x8-v0", 0.913220),
        ("cliff", "dreamgym/Cliff-v0", -13.0),
        ("frozen-lake", "FrozenLake-v1", 0.744190),
    ):
        what = f"best return within the time limit of {env_id}"
        yield exactly(f"best-{name}", what, Best(env_id), value)


CLIFF = "dreamgym/Cliff-v0"
FIXED = {"discount": 1.0}  # and the defaults: ε = .1, α = .1


def _fixed(algorithm: str, statistic: str) -> Trained:
    return Trained(algorithm, CLIFF, statistic, 200_000, FIXED, preset=False)


ROWS = (
    *_planning(),
    *_success(),
    exactly(
        "q-learning-cliff",
        "Q-learning on Cliff: exact return of the greedy policy",
        Trained("q-learning", CLIFF, "exact_return"),
        -13.0,
        seeded=True,
    ),
    exactly(
        "double-q-learning-cliff",
        "double Q-learning on Cliff: exact return of the greedy policy",
        Trained("double-q-learning", CLIFF, "exact_return"),
        -13.0,
        seeded=True,
    ),
    exactly(
        "q-learning-cliff-fixed",
        "Q-learning on Cliff under a fixed ε of .1: exact return of the greedy policy",
        _fixed("q-learning", "exact_return"),
        -13.0,
        seeded=True,
    ),
    Row(
        "sarsa-cliff-fixed",
        "SARSA on Cliff under a fixed ε of .1: the greedy path keeps away from the edge",
        _fixed("sarsa", "exact_return"),
        -15.0,
        low=-19.0,
        high=-14.0,
        every_seed=True,
    ),
    Row(
        "sarsa-cliff-online",
        "SARSA's return while learning on Cliff minus Q-learning's, both under a fixed ε of .1",
        Advantage(_fixed("sarsa", "online_return"), _fixed("q-learning", "online_return")),
        0.0,
        low=1.0,
        every_seed=True,
    ),
    exactly(
        "sarsa-cliff-glie",
        "SARSA on Cliff with ε = 1 / visits: exact return of the greedy policy",
        Trained("sarsa", CLIFF, "exact_return"),
        -13.0,
        seeded=True,
    ),
    exactly(
        "expected-sarsa-cliff-glie",
        "expected SARSA on Cliff with ε = 1 / visits: exact return of the greedy policy",
        Trained("expected-sarsa", CLIFF, "exact_return"),
        -13.0,
        seeded=True,
    ),
    Row(
        "q-learning-lake",
        "Q-learning on Lake: exact success of the greedy policy, within 1 % of the best",
        Trained("q-learning", "dreamgym/Lake-v0", "exact_return"),
        0.744190,
        low=0.99 * 0.744190,
        every_seed=True,
    ),
    Row(
        "q-learning-taxi",
        "Q-learning on Taxi-v4: exact return of the greedy policy, mean over starts",
        Trained("q-learning", "Taxi-v4", "exact_return"),
        7.93,
        low=7.93 - TOLERANCE,
    ),
    Row(
        "dqn-cartpole",
        "DQN on CartPole-v1: mean return of the best checkpoint over 100 episodes",
        Trained("dqn", "CartPole-v1", "best_return"),
        500.0,
        low=475.0,
        every_seed=True,
    ),
    Row(
        "dqn-catch",
        "DQN on Catch from pixels: mean return of the best checkpoint over 100 episodes",
        Trained("dqn", "dreamgym/Catch-v0", "best_return"),
        1.0,
        low=0.95,
        every_seed=True,
    ),
)


@dataclass(frozen=True)
class Outcome:
    """What a row came to."""

    row: Row
    records: Sequence[Mapping[str, Any]]

    @property
    def figures(self) -> list[float]:
        """One figure per seed."""
        return [record["result"]["figure"] for record in self.records]

    @property
    def passed(self) -> bool:
        """Whether they are good enough."""
        return self.row.passes(self.figures)


def run_row(row: Row, seeds: int, folder: Path, tick: Callable[[], object]) -> Outcome:
    """Run a row for each seed that has no result yet.

    Args:
        row: the row.
        seeds: how many.
        folder: where results are kept.
        tick: called after every seed.
    """
    records = []
    for seed in row.seeds(seeds):
        records.append(run_once(row.name, row.experiment, seed, folder))
        tick()
    return Outcome(row, records)
