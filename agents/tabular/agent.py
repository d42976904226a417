"""An agent that learns a table of action values, by the algorithm of its kind."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, TypeVar, Unpack

import numpy as np
import torch

from nets.gradients.annealing import is_number

from ..agent import Agent
from ..environments.source import World
from ..environments.spaces import TableIndex
from ..equations.exploration import uniform
from ..equations.masks import masked
from ..equations.schedules import current
from ..loop.actor import ActorOptions
from ..loop.experience import Array, Stream, Transition
from .choosing import UNDECIDED, choose, exploration
from .config import TabularConfig
from .draws import root_of
from .fused import FusedStream
from .kernel import Algorithm
from .known import exact_model
from .masks import mask_table
from .model import Bool, Float, Int, Model
from .tables import STEPS, TRACES, Memory, Rule

ConfigT = TypeVar("ConfigT", bound=TabularConfig)


class Tabular(Agent[ConfigT]):
    """An agent that learns a table of action values; use one of its four kinds.

    Raises:
        ValueError: spaces are not discrete, or traces are asked for on several environments.
    """

    config_type: ClassVar[type]
    inherited = ("q",)
    algorithm: Algorithm
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
        self._alpha = self._constant_rate()
        size = self.tables * self.states.size * self.actions.size
        self.arrays = Memory(
            q=np.full(size, self.config.initial_value),
            visits=np.zeros(size, np.int64),
            trace=np.zeros(size),
            active=np.zeros(size, np.int64),
            counters=np.zeros(3, np.int64),
            allowed=np.ones(size, bool) if self.masks else None,
        )
        # Python reads and writes numbers through a memory view three times faster
        self._memory = Memory(*(None if a is None else memoryview(a) for a in self.arrays))
        self._next_action = [UNDECIDED] * self.num_envs

    def follow_config(self) -> None:
        """Read the learning rate anew; another loop than the open one may be its."""
        before, self._alpha = self._alpha, self._constant_rate()
        if (before is None) != (self._alpha is None) and self._training is not None:
            self._training.end()

    def _constant_rate(self) -> float | None:
        """Return α; None where it is a function."""
        number = is_number(self.config.learning_rate)
        return current(self.config, "learning_rate", 0, 0) if number else None

    @property
    def q(self) -> Float:
        """Action values `[S, A]`; the mean of the two tables of double Q-learning."""
        tables = self.arrays.q.reshape(self.tables, self.states.size, -1)
        return tables.mean(0)

    @property
    def allowed(self) -> Bool | None:
        """Which actions each state has been found to allow, `[S, A]`; None where none is masked."""
        allowed = self.arrays.allowed
        return None if allowed is None else allowed.reshape(self.tables, self.states.size, -1)[0]

    @property
    def values(self) -> Float:
        """Values of the greedy policy's estimate, max_a Q(s, a), `[S]`."""
        return masked(self.q, self.allowed).max(1)

    @property
    def policy(self) -> Int:
        """Greedy actions `[S]`, of equal ones the lowest."""
        return masked(self.q, self.allowed).argmax(1)

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

    def act(
        self, observation: Array, episode_start: Array, mask: Array | None = None
    ) -> tuple[Array, Mapping[str, Array]]:
        """Choose ε-greedily, or take what SARSA has chosen already to learn from it."""
        rule, memory = self.rule, self._memory
        actions = []
        for row, state in enumerate(self.states.rows(observation)):
            if mask is not None:
                self._allow(state, mask[row])
            action = self._next_action[row]
            if action == UNDECIDED or episode_start[row]:
                action = choose(rule, memory, state)
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
            if transition.next_mask is not None and not terminated:
                self._allow(following, transition.next_mask[row])
            pair = state * rule.num_actions + action
            memory.counters[STEPS] += 1
            chosen = self.algorithm(rule, memory, pair, float(reward), following, terminated)
            if terminated or truncated:
                memory.counters[TRACES] = 0
                chosen = UNDECIDED
            self._next_action[row] = chosen

    def stream(self, seed: int) -> Stream:
        """Return the fused loop where the environment plays its own table, else the common one."""
        fused = self.config.fused and self._alpha is not None and self.num_envs == 1
        model = self.model if fused else None
        table = None if model is None or not self.masks else self.mask_table
        if model is None or (self.masks and table is None):
            return super().stream(seed)
        if table is not None:
            self._allow(slice(None), table)
        return FusedStream(self, model, self.source.max_episode_steps, seed)

    def _allow(self, states: int | slice, mask: Array) -> None:
        """Write down which actions states allow."""
        self.arrays.allowed.reshape(self.tables, self.states.size, -1)[:, states] = mask

    @cached_property
    def model(self) -> Model | None:
        """The environment's transition table; None where it has none that it plays exactly."""
        return exact_model(self.source)

    @cached_property
    def mask_table(self) -> Bool | None:
        """Which actions each state of the model allows, `[S, A]`; None where that is unknown."""
        return None if self.model is None else mask_table(self.source, self.model.num_states)

    def choose(
        self,
        observation: Array,
        state: Any,
        episode_start: Array | None,
        deterministic: bool,
        mask: Array | None = None,
    ) -> tuple[Array, Any]:
        """Return greedy actions, or ε-greedy ones."""
        rows = self.states.rows(observation)
        actions = masked(self.q[rows], mask).argmax(1)  # [N]
        if not deterministic:
            rule, memory = self.rule, self._memory
            epsilon = np.array([exploration(rule, memory, row) for row in rows])
            explores = self.rng.random(len(rows)) < epsilon
            drawn = uniform(len(rows), self.actions.size, self.rng, mask)
            actions = np.where(explores, drawn, actions)
        return actions + self._first_action, state

    def state_dict(self) -> dict[str, Any]:
        """The table, how often each entry was updated, the counters, and what is allowed."""
        shape = (self.tables, self.states.size, self.actions.size)
        masks = (
            {} if self.allowed is None else {"allowed": torch.tensor(self.allowed, device="cpu")}
        )
        return {
            "q": torch.tensor(self.arrays.q, device="cpu").reshape(shape),
            "visits": torch.tensor(self.arrays.visits, device="cpu").reshape(shape),
            "counters": self.arrays.counters.tolist(),
        } | masks

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
        if self.masks:
            self.arrays.allowed.reshape(shape)[:] = state["allowed"].numpy()
        self._next_action = [UNDECIDED] * self.num_envs

    @property
    def _first_action(self) -> int:
        return int(getattr(self.action_space, "start", 0))
