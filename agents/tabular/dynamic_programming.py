"""Dynamic programming on a model: evaluate a policy, find the best one (curriculum A-DP-01..03).

Values are float64. A terminated outcome contributes its reward and no future. At discount 1 the
value of a state is its expected total reward; it exists for a policy that ends with probability 1,
or that, where it goes on for ever, collects nothing more.

Source: Sutton and Barto, 2018, "Reinforcement Learning", chapter 4; for discount 1, Bertsekas and
Tsitsiklis, 1991, "An analysis of stochastic shortest path problems".
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .model import Bool, Float, Int, Model

TIE = 1e-9  # two action values closer than this, relative to the larger of 1 and them, are equal


class PlanningError(ValueError):
    """The value asked for does not exist or was not reached; the message says what to change."""


@dataclass(frozen=True, eq=False)
class Solution:
    """What planning finds.

    Attributes:
        values: V `[S]`.
        q: Q(s, a) = r + γ·E[V(s')] `[S, A]`.
        policy: a best action of each state, int64 `[S]`.
        iterations: sweeps of value iteration or rounds of policy iteration.
        residuals: the largest change of V in each of them.
    """

    values: Float
    q: Float
    policy: Int
    iterations: int
    residuals: tuple[float, ...] = ()


def q_from_v(model: Model, values: ArrayLike, discount: float) -> Float:
    """Return Q(s, a) = Σ_k p·(r + γ·(1 - terminated)·V(s')), `[S, A]`, from V `[S]`."""
    future = (model.continuation * np.asarray(values)[model.next_state]).sum(-1)
    return model.expected_reward + discount * future


def greedy(q: Float) -> Int:
    """Return the best action of each state, `[S]`: of equal ones the one with the lowest index."""
    return _best(q).argmax(1)


def policy_evaluation(
    model: Model,
    policy: ArrayLike,
    discount: float,
    *,
    method: Literal["exact", "iterative"] = "exact",
    tolerance: float = 1e-10,
    max_iterations: int = 100_000,
) -> Float:
    """Return V of a policy, `[S]`: the solution of V = r_π + γ·P_π·V (curriculum A-DP-01).

    Args:
        model: the decision process.
        policy: actions `[S]` or probabilities `[S, A]`.
        discount: γ in [0, 1].
        method: `exact` solves the linear system, `iterative` sweeps until V moves no more.
        tolerance: of `iterative`: largest error of V at γ < 1, largest last change at γ = 1.
        max_iterations: of `iterative`.

    Raises:
        PlanningError: at γ = 1, the policy goes on for ever with rewards; or no convergence.
    """
    _check_discount(discount)
    process = model.under(policy)
    open_ended = np.ones(model.num_states, np.bool_)
    if discount == 1:
        open_ended = _collecting(process)
        stuck = open_ended & ~_can_reach(process, _may_enter(process, ~open_ended)[:, 0])
        if stuck.any():
            message = f"{model.name}: from state {int(stuck.argmax())} on the policy never ends"
            raise PlanningError(f"{message} and keeps collecting: it has no value at discount 1")
    reward = np.where(open_ended, process.expected_reward[:, 0], 0.0)
    if method == "exact":
        # rows of states with nothing left to collect read V = 0
        matrix = discount * _transition_matrix(process) * open_ended[:, None]  # [S, S]
        return np.linalg.solve(np.eye(model.num_states) - matrix, reward).astype(np.float64)
    values = np.zeros(model.num_states)
    for _ in range(max_iterations):
        swept = np.where(open_ended, q_from_v(process, values, discount)[:, 0], 0.0)
        change, values = np.abs(swept - values).max(), swept
        if change <= _threshold(values, discount, tolerance):
            return values
    raise _no_convergence(model, "policy evaluation", max_iterations)


def value_iteration(
    model: Model, discount: float, *, tolerance: float = 1e-10, max_iterations: int = 100_000
) -> Solution:
    """Sweep V ← max_a (r + γ·P·V) from 0 until it moves no more (curriculum A-DP-02).

    Args:
        model: the decision process.
        discount: γ in [0, 1].
        tolerance: largest error of V at γ < 1, largest last change at γ = 1.
        max_iterations: sweeps before giving up.

    Raises:
        PlanningError: no convergence; at γ = 1, rewards without an end.
    """
    _check_discount(discount)
    values, residuals = np.zeros(model.num_states), []
    for sweep in range(1, max_iterations + 1):
        swept = q_from_v(model, values, discount).max(1)
        change, values = float(np.abs(swept - values).max()), swept
        residuals.append(change)
        if change <= _threshold(values, discount, tolerance):
            q = q_from_v(model, values, discount)
            policy = _greedy_that_ends(model, q, discount)
            return Solution(values, q, policy, sweep, tuple(residuals))
    raise _no_convergence(model, "value iteration", max_iterations)


def policy_iteration(model: Model, discount: float, *, max_iterations: int = 1000) -> Solution:
    """Evaluate the policy exactly, act greedily on it, until nothing improves (curriculum A-DP-03).

    A state changes its action only for a better one, so every round improves and the number of
    rounds is finite. At γ = 1 it starts from a policy that ends wherever one can, and finds the
    best of those that do.

    Raises:
        PlanningError: at γ = 1, some state has no policy with a value.
    """
    _check_discount(discount)
    everything = np.ones((model.num_states, model.num_actions), np.bool_)
    policy = _towards_the_end(model, everything)[0] if discount == 1 else everything.argmax(1)
    solution = _improve(model, policy, discount, everything, max_iterations)
    return replace(solution, policy=_greedy_that_ends(model, solution.q, discount))


def horizon_values(
    model: Model, horizon: int, policy: ArrayLike | None = None, discount: float = 1.0
) -> Float:
    """Return the expected return within `horizon` steps from each state, `[S]`.

    V_0 = 0, V_h = r_π + γ·P_π·V_{h-1}: exactly what a time limit lets an agent collect.

    Args:
        model: the decision process.
        horizon: steps until truncation.
        policy: actions `[S]` or probabilities `[S, A]`; None takes the best action for the steps
            that remain, which no policy of the state alone can beat.
        discount: γ in [0, 1].
    """
    _check_discount(discount)
    process = model if policy is None else model.under(policy)
    values = np.zeros(model.num_states)
    for _ in range(horizon):
        values = q_from_v(process, values, discount).max(1)
    return values


def _best(q: Float) -> Bool:
    """Which actions are as good as the best of their state, `[S, A]`."""
    top = q.max(1, keepdims=True)
    return q >= top - TIE * np.maximum(1.0, np.abs(top))


def _greedy_that_ends(model: Model, q: Float, discount: float) -> Int:
    """Choose among the best actions; at γ = 1 so that the policy ends, in the fewest steps.

    Where time costs nothing, walking against a wall for ever looks as good as any move: of the
    equally good policies this one is found by policy iteration on the number of steps.
    """
    best = _best(q)
    if discount < 1:
        return best.argmax(1)
    policy, counted = _towards_the_end(model, best)
    clock = replace(model, reward=np.where(counted[:, None, None], -1.0, 0.0 * model.reward))
    return _improve(clock, policy, 1.0, best, 1000).policy


def _improve(
    model: Model, policy: Int, discount: float, allowed: Bool, max_iterations: int
) -> Solution:
    """Run policy iteration among the allowed actions."""
    values, residuals = np.zeros(model.num_states), []
    for iteration in range(1, max_iterations + 1):
        before, values = values, policy_evaluation(model, policy, discount)
        residuals.append(float(np.abs(values - before).max()))
        q = q_from_v(model, values, discount)
        best = _best(np.where(allowed, q, -np.inf))
        improves = ~np.take_along_axis(best, policy[:, None], 1)[:, 0]
        if not improves.any():
            return Solution(values, q, policy, iteration, tuple(residuals))
        policy = np.where(improves, best.argmax(1), policy)
    raise _no_convergence(model, "policy iteration", max_iterations)


def _towards_the_end(model: Model, allowed: Bool) -> tuple[Int, Bool]:
    """Choose in each state an allowed action that may lead nearer to the end.

    The end is termination, or a state with nothing left to collect. States are taken in the order
    of their least number of steps to it; where it is out of reach, the first allowed action is.

    Returns:
        The actions `[S]`, and which states are on their way to the end, `[S]`.
    """
    policy = allowed.argmax(1)
    finished = ~_collecting(model)
    reached = finished
    while True:
        advances = allowed & _may_enter(model, reached)
        fresh = advances.any(1) & ~reached
        if not fresh.any():
            return policy, reached & ~finished
        policy = np.where(fresh, advances.argmax(1), policy)
        reached = reached | fresh


def _may_enter(model: Model, states: Bool) -> Bool:
    """Which actions may terminate or lead into the given states `[S]` next, `[S, A]`."""
    ends = (model.probability > 0) & model.terminated
    return np.any(ends | (model.live & states[model.next_state]), axis=-1)


def _collecting(model: Model) -> Bool:
    """Which states have rewards ahead of them, whatever the policy, `[S]`."""
    return _can_reach(model, (model.expected_reward != 0).any(1))


def _can_reach(model: Model, target: Bool) -> Bool:
    """Which states are in `target` or may come there alive, `[S]`."""
    reached = target
    while True:
        wider = reached | (model.live & reached[model.next_state]).any((1, 2))
        if (wider == reached).all():
            return reached
        reached = wider


def _transition_matrix(process: Model) -> Float:
    """P_π without the terminated outcomes, `[S, S]`."""
    matrix = np.zeros((process.num_states, process.num_states))
    rows = np.arange(process.num_states)[:, None]
    np.add.at(matrix, (rows, process.next_state[:, 0]), process.continuation[:, 0])
    return matrix


def _threshold(values: Float, discount: float, tolerance: float) -> float:
    """Return the change of V at which sweeping stops, never below what float64 can resolve.

    At γ < 1 an error is at most γ / (1 - γ) times the last change.
    """
    change = tolerance * (1 - discount) / discount if 0 < discount < 1 else tolerance
    return max(change, 4 * np.finfo(np.float64).eps * float(np.abs(values).max()))


def _check_discount(discount: float) -> None:
    if not 0 <= discount <= 1:
        raise ValueError(f"discount is {discount}, expected 0 to 1")


def _no_convergence(model: Model, what: str, iterations: int) -> PlanningError:
    message = f"{model.name}: {what} did not converge in {iterations} iterations"
    return PlanningError(f"{message}; at discount 1 some state may collect rewards without an end")
