"""Finite Markov decision processes as arrays, read from `env.unwrapped.P`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]


class NoModelError(ValueError):
    """An environment has no usable transition table; the message names it and says why."""


@dataclass(frozen=True, eq=False)
class Model:
    """A finite Markov decision process: S states, A actions, up to K outcomes of each pair.

    Outcome k of action a in state s happens with `probability[s, a, k]`. Pairs with fewer than K
    outcomes are padded with probability 0.

    Attributes:
        probability: float64 `[S, A, K]`; sums to 1 over k.
        next_state: int64 `[S, A, K]`, in [0, S).
        reward: float64 `[S, A, K]`.
        terminated: bool `[S, A, K]`; a terminated outcome has no future.
        initial: float64 `[S]`, the distribution of an episode's first state.
        name: what errors call it.

    Raises:
        NoModelError: shapes disagree, probabilities do not sum to 1, a state is out of range, or a
            reward is not finite.
    """

    probability: Float
    next_state: Int
    reward: Float
    terminated: Bool
    initial: Float
    name: str = "model"

    def __post_init__(self) -> None:
        shape = self.probability.shape
        if len(shape) != 3 or 0 in shape:
            raise NoModelError(f"{self.name}: probability has shape {shape}, expected [S, A, K]")
        for field in ("next_state", "reward", "terminated"):
            if getattr(self, field).shape != shape:
                found = getattr(self, field).shape
                raise NoModelError(f"{self.name}: {field} has shape {found}, expected {shape}")
        if self.initial.shape != shape[:1]:
            found = self.initial.shape
            raise NoModelError(f"{self.name}: initial has shape {found}, expected {shape[:1]}")
        self._check_distribution(self.probability, "outcome probabilities of (state, action)")
        self._check_distribution(self.initial[None], "initial state probabilities of row")
        outside = (self.next_state < 0) | (self.next_state >= shape[0])
        self._refuse(outside, "next state", self.next_state, f"expected 0 to {shape[0] - 1}")
        self._refuse(~np.isfinite(self.reward), "reward", self.reward, "expected a finite number")

    def _check_distribution(self, probability: Float, what: str) -> None:
        total = probability.sum(-1)
        wrong = ~(np.abs(total - 1) <= 1e-6) | (probability < 0).any(-1)
        if wrong.any():
            where = tuple(int(i) for i in np.argwhere(wrong)[0])
            message = f"{self.name}: the {what} {where} are {probability[where].tolist()}"
            raise NoModelError(f"{message}, expected non-negative numbers that sum to 1")

    def _refuse(self, wrong: Bool, what: str, values: NDArray[Any], expected: str) -> None:
        if wrong.any():
            s, a, k = (int(i) for i in np.argwhere(wrong)[0])
            message = f"{self.name}: the {what} of outcome {k} of action {a} in state {s}"
            raise NoModelError(f"{message} is {values[s, a, k]}, {expected}")

    @property
    def num_states(self) -> int:
        """S."""
        return self.probability.shape[0]

    @property
    def num_actions(self) -> int:
        """A."""
        return self.probability.shape[1]

    @cached_property
    def expected_reward(self) -> Float:
        """r(s, a) = Σ_k p·r, `[S, A]`."""
        return (self.probability * self.reward).sum(-1)

    @cached_property
    def live(self) -> Bool:
        """Outcomes that can happen and have a future, `[S, A, K]`."""
        return (self.probability > 0) & ~self.terminated

    @cached_property
    def continuation(self) -> Float:
        """Probability of each outcome if it has a future, else 0, `[S, A, K]`."""
        return np.where(self.terminated, 0.0, self.probability)

    def under(self, policy: ArrayLike) -> "Model":
        """Return the Markov reward process that a policy induces: this model with one action.

        Args:
            policy: actions `[S]` or probabilities `[S, A]`.
        """
        pi = action_probabilities(policy, self.num_states, self.num_actions)  # [S, A]
        flat = (self.num_states, 1, -1)
        return Model(
            probability=(pi[:, :, None] * self.probability).reshape(flat),
            next_state=self.next_state.reshape(flat),
            reward=self.reward.reshape(flat),
            terminated=self.terminated.reshape(flat),
            initial=self.initial,
            name=f"{self.name} under a policy",
        )

    @classmethod
    def from_env(cls, env: gym.Env) -> "Model":
        """Read `env.unwrapped.model`, or `P` and `initial_state_distrib`, as Gymnasium has them.

        `P[s][a]` lists outcomes `(probability, next_state, reward, terminated)`. The table is
        trusted to describe the environment; `known_model` asks whether it does.

        Raises:
            NoModelError: the environment has none, or it is malformed.
        """
        inner = env.unwrapped
        model = getattr(inner, "model", None)
        if isinstance(model, cls):
            return model
        name = env.spec.id if env.spec is not None else type(inner).__name__
        table = getattr(inner, "P", None)
        initial = getattr(inner, "initial_state_distrib", None)
        if table is None or initial is None:
            missing = "P" if table is None else "initial_state_distrib"
            message = f"{name} has no transition table (`env.unwrapped.{missing}`)"
            raise NoModelError(f"{message}: planning needs one, learning agents do not")
        return cls.from_table(table, initial, name)

    @classmethod
    def from_table(cls, table: Any, initial: ArrayLike, name: str = "model") -> "Model":
        """Build a model from nested `P[s][a] = [(probability, next_state, reward, terminated)]`.

        States and actions are counted from 0.

        Raises:
            NoModelError: the table is malformed.
        """
        rows = [_in_order(row, f"{name}: P[{s}]") for s, row in enumerate(_in_order(table, name))]
        num_states, num_actions = len(rows), max((len(row) for row in rows), default=0)
        num_outcomes = max((len(pair) for row in rows for pair in row), default=0)
        shape = (num_states, num_actions, num_outcomes)
        probability, reward = np.zeros(shape), np.zeros(shape)
        next_state, terminated = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
        for s, row in enumerate(rows):
            if len(row) != num_actions:
                message = f"{name}: state {s} has {len(row)} actions, others {num_actions}"
                raise NoModelError(f"{message}: every state needs every action")
            for a, pair in enumerate(row):
                for k, (p, following, r, over) in enumerate(pair):
                    probability[s, a, k], next_state[s, a, k] = p, following
                    reward[s, a, k], terminated[s, a, k] = r, over
        start = np.asarray(initial, np.float64)
        return cls(probability, next_state, reward, terminated, start, name)


def action_probabilities(policy: ArrayLike, num_states: int, num_actions: int) -> Float:
    """Return a policy as probabilities `[S, A]`.

    Args:
        policy: actions `[S]` (integers) or probabilities `[S, A]`.
        num_states: S.
        num_actions: A.

    Raises:
        ValueError: the shape is neither, an action is out of range, or a row does not sum to 1.
    """
    given = np.asarray(policy)
    shape = (num_states, num_actions)
    if given.shape == shape[:1] and np.issubdtype(given.dtype, np.integer):
        if (given < 0).any() or (given >= num_actions).any():
            raise ValueError(f"the policy has actions outside 0 to {num_actions - 1}")
        return np.eye(num_actions)[given]
    if given.shape != shape:
        message = f"the policy has shape {given.shape} and type {given.dtype}"
        raise ValueError(f"{message}: expected integer actions {shape[:1]} or shares {shape}")
    if (given < 0).any() or not np.allclose(given.sum(1), 1):
        raise ValueError("every row of the policy must be a distribution over actions")
    return given.astype(np.float64)


def cumulative(probability: Float) -> Float:
    """Return running sums over the last axis, in which the last outcome of weight reaches 1."""
    outcomes = np.arange(probability.shape[-1])
    last = outcomes[-1] - (probability[..., ::-1] > 0).argmax(-1)
    # from there on the sum is exactly 1, so that a draw below 1 always falls on a possible outcome
    return np.where(outcomes >= last[..., None], 1.0, np.cumsum(probability, -1))


def _in_order(table: Any, where: str) -> Sequence[Any]:
    """Return the rows of a mapping with keys 0..n-1, or of a sequence."""
    if isinstance(table, Mapping):
        keys = sorted(table)
        if keys != list(range(len(keys))):
            raise NoModelError(f"{where} has the keys {keys[:5]}..., expected 0, 1, 2, ...")
        return [table[key] for key in keys]
    return list(table)
