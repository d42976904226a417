"""Settings of tabular agents and of planners."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nets.gradients.annealing import Shape
from nets.kinds import Count, Positive, RateSchedule, Real, Share, Space, Span, changing
from nets.settings import Settings


@dataclass(frozen=True)
class TabularConfig(Settings):
    """Settings of every tabular agent."""

    schedule: ClassVar[Shape] = "constant"  # a table's own is `learning_rate_decay`
    anneal_steps: ClassVar[int] = 0
    adjustable: ClassVar[tuple[str, ...]] = (
        *("discount", "learning_rate", "learning_rate_decay"),
        *("epsilon_schedule", "epsilon_start", "epsilon_end", "exploration_steps"),
    )

    only_with: ClassVar[Mapping[str, tuple[str, tuple[Any, ...]]]] = dict.fromkeys(
        ("epsilon_end", "exploration_steps"), ("epsilon_schedule", ("linear",))
    )

    tunable: ClassVar[Space] = {
        "discount": (0.9, 0.95, 0.98, 0.99, 0.995, 0.999),
        "learning_rate": Span(0.01, 1.0, log=True),
        "learning_rate_decay": (0.0, 0.5, 0.6, 0.8, 1.0),
        "epsilon_start": Span(0.05, 1.0),
        "epsilon_end": Span(0.001, 0.2, log=True),
        "exploration_steps": Span(1_000, 100_000, log=True),
        "initial_value": (0.0, 1.0, 10.0),
    }

    discount: Share = 0.99
    """γ, in [0, 1]."""
    learning_rate: RateSchedule = changing(0.1)
    """α of the first update of a pair, in (0, 1]: a number, or a function of what is left of the
    training, from 1 to 0, which the compiled loop cannot follow."""
    learning_rate_decay: Share = 0.0
    """ω, in [0, 1]: the n-th update of a pair uses α / n^ω; 0 keeps α constant."""
    epsilon_schedule: Literal["linear", "glie"] = "linear"
    """Linear from start to end; or glie, epsilon_start / n at the n-th visit of a state."""
    epsilon_start: Share = 0.1
    """Share of random actions at the beginning."""
    epsilon_end: Share = 0.1
    """Share of random actions after `exploration_steps`."""
    exploration_steps: Count = 10_000
    """Environment steps over which the share of random actions falls."""
    initial_value: Real = 0.0
    """What every entry of the table holds at first; high values invite exploration."""
    mask_actions: bool = False
    """Whether only actions are taken that the world allows, in `info["action_mask"]`."""
    fused: bool = True
    """Where the environment has a transition table, play and learn from it in one compiled loop."""


@dataclass(frozen=True)
class TracesConfig(TabularConfig):
    """Settings of a tabular agent that may use eligibility traces."""

    tunable: ClassVar[Space] = TabularConfig.tunable | {
        "trace_decay": (0.0, 0.5, 0.8, 0.9, 0.95),
    }

    trace_decay: Share = 0.0
    """λ, in [0, 1], of replacing eligibility traces; 0 learns from single steps."""


@dataclass(frozen=True)
class SarsaConfig(TracesConfig):
    """Settings of SARSA; with `trace_decay` it is SARSA(λ)."""


@dataclass(frozen=True)
class ExpectedSarsaConfig(TracesConfig):
    """Settings of expected SARSA; with `trace_decay` it is expected SARSA(λ), on-policy."""


@dataclass(frozen=True)
class QLearningConfig(TracesConfig):
    """Settings of Q-learning; with `trace_decay` it is Watkins's Q(λ)."""


@dataclass(frozen=True)
class DoubleQLearningConfig(TabularConfig):
    """Settings of double Q-learning."""


@dataclass(frozen=True)
class ValueIterationConfig(Settings):
    """Settings of value iteration."""

    discount: Share = 0.99
    """γ, in [0, 1]; 1 maximises the total reward of environments that end."""
    tolerance: Positive = 1e-10
    """Largest error of the values at γ < 1; largest change of the last sweep at γ = 1."""
    max_iterations: Count = 100_000
    """Sweeps before giving up."""


@dataclass(frozen=True)
class PolicyIterationConfig(Settings):
    """Settings of policy iteration."""

    discount: Share = 0.99
    """γ, in [0, 1]; 1 maximises the total reward of environments that end."""
    max_iterations: Count = 1000
    """Rounds before giving up."""
