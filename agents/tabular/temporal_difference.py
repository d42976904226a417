"""Tabular agents: SARSA, expected SARSA, Q-learning, double Q-learning (curriculum A-TD-01..03).

They learn a table Q(s, a) on any environment with discrete observations and actions:

    Q(s, a) ← Q(s, a) + α·[y - Q(s, a)]

| agent | target y |
|---|---|
| SARSA | r + γ·Q(s', a'), a' the next action taken |
| expected SARSA | r + γ·Σ_a π(a|s')·Q(s', a) |
| Q-learning | r + γ·max_a Q(s', a) |
| double Q-learning | r + γ·Q₂(s', argmax_a Q₁(s', a)), the tables' roles drawn for every update |

γ is 0 where `terminated`; a truncated episode bootstraps. `kernel` has these four functions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeVar, Unpack

import numpy as np
import torch

from nets.settings import Count, RateSchedule, Real, Settings, Share, changing

from ..agent import Agent
from ..environments.spaces import TableIndex
from ..equations.schedules import Shape, current, is_number
from ..loop.actor import ActorOptions, World
from ..loop.experience import Array, Stream, Transition
from . import kernel
from .draws import root_of
from .fused import FusedStream
from .known import exact_model
from .model import Float, Int, Model
from .tables import STEPS, TRACES, Memory, Rule


@dataclass(frozen=True)
class TabularConfig(Settings):
    """Settings of every tabular agent."""

    schedule: ClassVar[Shape] = "constant"  # a table's own is `learning_rate_decay`
    anneal_steps: ClassVar[int] = 0

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
    fused: bool = True
    """Where the environment has a transition table, play and learn from it in one compiled loop."""


@dataclass(frozen=True)
class TracesConfig(TabularConfig):
    """Settings of a tabular agent that may use eligibility traces."""

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


ConfigT = TypeVar("ConfigT", bound=TabularConfig)


class Tabular(Agent[ConfigT]):
    """An agent that learns a table of action values; use one of its four kinds.

    Raises:
        ValueError: spaces are not discrete, or traces are asked for on several environments.
    """

    config_type: ClassVar[type]
    algorithm: kernel.Algorithm
    tables: ClassVar[int] = 1
    most_steps_at_risk: ClassVar[int] = 5_000_000  # seconds

    def __init__(
        self, env: World, config: ConfigT | None = None, **options: Unpack[ActorOptions]
    ) -> None:
        super().__init__(env, config, **options)
        name = f"{self.name} on {self.source.name}"
        self.states = TableIndex(self.observation_space, f"{name}: the observation space")
        self.actions = TableIndex(self.action_space, f"{name}: the action space")
        self.trace_decay = float(getattr(self.config, "trace_decay", 0.0))
        if self.trace_decay > 0 and self.num_envs > 1:
            message = f"trace_decay is {self.trace_decay} with {self.num_envs} environments"
            raise ValueError(f"{name}: {message}: expected a single one, whose past it can trace")
        alpha = self.config.learning_rate
        self._alpha = current(self.config, "learning_rate", 0, 0) if is_number(alpha) else None
        size = self.tables * self.states.size * self.actions.size
        self.arrays = Memory(
            q=np.full(size, self.config.initial_value),
            visits=np.zeros(size, np.int64),
            trace=np.zeros(size),
            active=np.zeros(size, np.int64),
            counters=np.zeros(3, np.int64),
        )
        # Python reads and writes numbers through a memory view three times faster
        self._memory = Memory(*(memoryview(array) for array in self.arrays))
        self._next_action = [kernel.UNDECIDED] * self.num_envs

    @property
    def q(self) -> Float:
        """Action values `[S, A]`; the mean of the two tables of double Q-learning."""
        tables = self.arrays.q.reshape(self.tables, self.states.size, -1)
        return tables.mean(0)

    @property
    def values(self) -> Float:
        """Values of the greedy policy's estimate, max_a Q(s, a), `[S]`."""
        return self.q.max(1)

    @property
    def policy(self) -> Int:
        """Greedy actions `[S]`, of equal ones the lowest."""
        return self.q.argmax(1)

    @property
    def rule(self) -> Rule:
        """The configuration as the kernel reads it."""
        c = self.config
        return Rule(
            tables=self.tables,
            num_actions=self.actions.size,
            num_pairs=self.states.size * self.actions.size,
            discount=float(c.discount),
            learning_rate=current(c, "learning_rate", self.steps, self.horizon)
            if self._alpha is None
            else self._alpha,
            learning_rate_decay=float(c.learning_rate_decay),
            trace_decay=self.trace_decay,
            glie=c.epsilon_schedule == "glie",
            epsilon_start=float(c.epsilon_start),
            epsilon_end=float(c.epsilon_end),
            exploration_steps=c.exploration_steps,
            key=self._key,
        )

    def reseed(self, seed: int) -> None:
        """Begin the agent's stream of exploration anew."""
        super().reseed(seed)
        self._key = root_of(seed)

    def act(self, observation: Array, episode_start: Array) -> tuple[Array, Mapping[str, Array]]:
        """Choose ε-greedily, or take what SARSA has chosen already to learn from it."""
        rule, memory = self.rule, self._memory
        actions = []
        for row, state in enumerate(self.states.rows(observation)):
            action = self._next_action[row]
            if action == kernel.UNDECIDED or episode_start[row]:
                action = kernel.choose(rule, memory, state)
            actions.append(action)
        return np.array(actions) + self._first_action, {}

    def observe(self, transition: Transition) -> None:
        """Learn from a transition, SARSA from the next action too."""
        rule, memory = self.rule, self._memory
        rows = zip(
            self.states.rows(transition.observation),
            self.actions.rows(transition.action),
            transition.reward.tolist(),
            self.states.rows(transition.next_observation),
            transition.terminated.tolist(),
            transition.truncated.tolist(),
            strict=True,
        )
        for row, (state, action, reward, following, terminated, truncated) in enumerate(rows):
            if not transition.valid[row]:
                continue
            pair = state * rule.num_actions + action
            memory.counters[STEPS] += 1
            chosen = self.algorithm(rule, memory, pair, float(reward), following, terminated)
            if terminated or truncated:
                memory.counters[TRACES] = 0
                chosen = kernel.UNDECIDED
            self._next_action[row] = chosen

    def stream(self, seed: int) -> Stream:
        """Return the fused loop where the environment plays its own table, else the common one."""
        if (
            self.config.fused
            and self._alpha is not None
            and self.num_envs == 1
            and self.model is not None
        ):
            limit = self.source.max_episode_steps
            return FusedStream(self, self.model, limit, seed)
        return super().stream(seed)

    @cached_property
    def model(self) -> Model | None:
        """The environment's transition table; None where it has none that it plays exactly."""
        return exact_model(self.source)

    def choose(
        self, observation: Array, state: Any, episode_start: Array | None, deterministic: bool
    ) -> tuple[Array, Any]:
        """Return greedy actions, or ε-greedy ones."""
        rows = self.states.rows(observation)
        actions = self.q[rows].argmax(1)  # [N]
        if not deterministic:
            rule, memory = self.rule, self._memory
            epsilon = np.array([kernel.exploration(rule, memory, row) for row in rows])
            explores = self.rng.random(len(rows)) < epsilon
            actions = np.where(
                explores, self.rng.integers(self.actions.size, size=len(rows)), actions
            )
        return actions + self._first_action, state

    def state_dict(self) -> dict[str, Any]:
        """The table, how often each entry was updated, and the counters."""
        shape = (self.tables, self.states.size, self.actions.size)
        return {
            "q": torch.tensor(self.arrays.q).reshape(shape),
            "visits": torch.tensor(self.arrays.visits).reshape(shape),
            "counters": self.arrays.counters.tolist(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ValueError: the table is of another environment.
        """
        shape = (self.tables, self.states.size, self.actions.size)
        if tuple(state["q"].shape) != shape:
            message = f"the table has shape {tuple(state['q'].shape)}, {self.source.name} needs"
            raise ValueError(f"{message} {shape}")
        self.arrays.q[:] = state["q"].numpy().ravel()
        self.arrays.visits[:] = state["visits"].numpy().ravel()
        self.arrays.counters[:] = state["counters"]
        self._next_action = [kernel.UNDECIDED] * self.num_envs

    @property
    def _first_action(self) -> int:
        return int(getattr(self.action_space, "start", 0))


class Sarsa(Tabular[SarsaConfig]):
    """SARSA (Rummery and Niranjan, 1994), with λ > 0 SARSA(λ): learns the policy it follows."""

    name = "sarsa"
    config_type = SarsaConfig
    algorithm = staticmethod(kernel.sarsa)


class ExpectedSarsa(Tabular[ExpectedSarsaConfig]):
    """Expected SARSA (van Seijen et al., 2009): SARSA without the noise of the next action."""

    name = "expected-sarsa"
    config_type = ExpectedSarsaConfig
    algorithm = staticmethod(kernel.expected_sarsa)


class QLearning(Tabular[QLearningConfig]):
    """Q-learning (Watkins, 1989), with λ > 0 Watkins's Q(λ): learns the greedy policy."""

    name = "q-learning"
    config_type = QLearningConfig
    algorithm = staticmethod(kernel.q_learning)


class DoubleQLearning(Tabular[DoubleQLearningConfig]):
    """Double Q-learning (van Hasselt, 2010): two tables, one chooses, the other values."""

    name = "double-q-learning"
    config_type = DoubleQLearningConfig
    algorithm = staticmethod(kernel.double_q_learning)
    tables = 2
