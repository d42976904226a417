"""Planners as agents: they solve the environment's model instead of trying it out."""

import weakref
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

import torch

from ..agent import Agent
from ..environments.source import World
from ..environments.spaces import TableIndex
from ..equations.masks import masked
from ..loop.actor import ActorOptions
from ..loop.experience import Array, Episode, Transition
from ..loop.remaking import ConfigT
from ..loop.run import RunConfig
from .config import PolicyIterationConfig, ValueIterationConfig
from .dynamic_programming import Solution, policy_iteration, value_iteration
from .known import known_model
from .model import Float, Int, Model, NoModelError


class Planner(Agent[ConfigT]):
    """An agent that plans on `env.unwrapped.P` and then acts greedily; use one of its two kinds.

    `solve()` plans at once. `learn` and the trainer do the same in their first step and then report
    one sweep, or round, per step.
    """

    plans = True
    config_type: ClassVar[type]

    def __init__(
        self, env: World, config: ConfigT | None = None, **options: Unpack[ActorOptions]
    ) -> None:
        super().__init__(env, config, **options)
        name = f"{self.name} on {self.source.name}"
        self.states = TableIndex(self.observation_space, f"{name}: the observation space")
        self.actions = TableIndex(self.action_space, f"{name}: the action space")
        self.solution: Solution | None = None

    @abstractmethod
    def plan(self, model: Model) -> Solution:
        """Solve a model with the settings of this agent."""

    def solve(self, model: Model | None = None) -> Solution:
        """Plan on `model`, by default the environment's, and act on the result from now on.

        Raises:
            NoModelError: the environment has no transition table, one that it does not play
                (`known_model`), or one of another size.
            PlanningError: the problem has no solution at this discount.
        """
        if model is None:
            model = known_model(self.source)
        if (model.num_states, model.num_actions) != (self.states.size, self.actions.size):
            found = f"{model.num_states} states and {model.num_actions} actions"
            expected = f"{self.states.size} and {self.actions.size}"
            raise NoModelError(f"the table of {model.name} has {found}, its spaces {expected}")
        self.solution = self.plan(model)
        return self.solution

    def run_config(self, steps: int, eval_every: int | None = None) -> RunConfig:
        """Log every iteration of the solution, which is made here, and evaluate it."""
        n = self.solve().iterations
        return RunConfig(n, segment_steps=n, log_every=1, eval_every=n)

    @property
    def q(self) -> Float:
        """Action values `[S, A]`."""
        return self._solved().q

    @property
    def values(self) -> Float:
        """State values `[S]`."""
        return self._solved().values

    @property
    def policy(self) -> Int:
        """Best actions `[S]`."""
        return self._solved().policy

    def stream(self, seed: int) -> "Planning":
        """Return a stream without experience, in whose first step the model is solved."""
        return Planning(self)

    def act(
        self, observation: Array, episode_start: Array, mask: Array | None = None
    ) -> tuple[Array, Mapping[str, Array]]:
        """Act greedily."""
        return self.predict(observation, action_masks=mask)[0], {}

    def observe(self, transition: Transition) -> None:
        """Learn nothing: the model says it all."""

    def choose(
        self,
        observation: Array,
        state: Any,
        episode_start: Array | None,
        deterministic: bool,
        mask: Array | None = None,
    ) -> tuple[Array, Any]:
        """Return best actions."""
        rows, solution = self.states.rows(observation), self._solved()
        best = solution.policy[rows] if mask is None else masked(solution.q[rows], mask).argmax(1)
        return best + int(getattr(self.action_space, "start", 0)), state

    def state_dict(self) -> dict[str, Any]:
        """The solution; empty before planning."""
        if self.solution is None:
            return {}
        s = self.solution
        tables = {"values": s.values, "q": s.q, "policy": s.policy}
        numbers = {"iterations": s.iterations, "residuals": list(s.residuals)}
        return {k: torch.tensor(table, device="cpu") for k, table in tables.items()} | numbers

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        if not state:
            self.solution = None
            return
        shape = (self.states.size, self.actions.size)
        if tuple(state["q"].shape) != shape:
            message = f"the table has shape {tuple(state['q'].shape)}, {self.source.name} needs"
            raise ValueError(f"{message} {shape}")
        values, q, policy = (state[name].numpy() for name in ("values", "q", "policy"))
        self.solution = Solution(values, q, policy, state["iterations"], tuple(state["residuals"]))

    def _solved(self) -> Solution:
        return self.solution or self.solve()


class Planning:
    """The stream of a planner: nothing is experienced."""

    def __init__(self, planner: Planner) -> None:
        self.planner = weakref.proxy(planner)
        self.episodes: list[Episode] = []

    def advance(self, steps: int, *, last: bool = False) -> dict[str, float] | None:
        """Solve the model if that is not done yet; report the residual of the sweep reached."""
        self.planner.steps += steps
        solution = self.planner.solution or self.planner.solve()
        reached = solution.residuals[: self.planner.steps]
        return {"residual": reached[-1]} if reached else None

    def close(self) -> None:
        """Nothing is held."""


class ValueIteration(Planner[ValueIterationConfig]):
    """Value iteration (Bellman, 1957; curriculum A-DP-02)."""

    name = "value-iteration"
    config_type = ValueIterationConfig

    def plan(self, model: Model) -> Solution:
        """Run `value_iteration`."""
        c = self.config
        return value_iteration(
            model, c.discount, tolerance=c.tolerance, max_iterations=c.max_iterations
        )


class PolicyIteration(Planner[PolicyIterationConfig]):
    """Policy iteration (Howard, 1960; curriculum A-DP-03)."""

    name = "policy-iteration"
    config_type = PolicyIterationConfig

    def plan(self, model: Model) -> Solution:
        """Run `policy_iteration`."""
        return policy_iteration(
            model, self.config.discount, max_iterations=self.config.max_iterations
        )
