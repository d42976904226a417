"""How true a dream is where the real world can be written down: exact, by dynamic programming."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..metrics.measure import Figure
from ..worlds.table import TableWorld
from ..worlds.world import World

Float = NDArray[np.float64]
DISCOUNT = 0.99
TOLERANCE = 1e-9

Outcomes = Mapping[int, Mapping[int, Sequence[tuple[float, int, float, bool]]]]
"""What follows, as Gymnasium's tabular worlds tell it: `P[s][a] = [(p, s', r, end), ...]`."""


class Chain(NamedTuple):
    """A world of S states and A actions."""

    goes_on: Float  # [S, A, S] p(s', not the end | s, a)
    ends: Float  # [S, A, S] p(s', the end | s, a)
    reward: Float  # [S, A] expected


def chain(outcomes: Outcomes) -> Chain:
    """Return a world as arrays."""
    states, actions = len(outcomes), len(outcomes[0])
    goes_on, ends = np.zeros((2, states, actions, states))
    reward_of = np.zeros((states, actions))
    for s, choices in outcomes.items():
        for a, following in choices.items():
            for p, after, reward, end in following:
                (ends if end else goes_on)[s, a, after] += p
                reward_of[s, a] += p * reward
    return Chain(goes_on, ends, reward_of)


def best_policy(world: Chain, discount: float = DISCOUNT) -> tuple[NDArray[np.intp], Float]:
    """Return the greedy actions `[S]` of the best values, and these `[S]`, by value iteration."""
    values = np.zeros(len(world.reward))
    while True:
        q = world.reward + discount * world.goes_on @ values  # [S, A]
        change = np.abs(q.max(1) - values).max()
        values = q.max(1)
        if change < TOLERANCE * (1 - discount):
            return q.argmax(1), values


def policy_values(world: Chain, policy: NDArray[np.intp], discount: float = DISCOUNT) -> Float:
    """Return the values `[S]` of actions `[S]`: v = r + γ·P·v, solved."""
    rows = np.arange(len(policy))
    moves, reward = world.goes_on[rows, policy], world.reward[rows, policy]
    return np.asarray(np.linalg.solve(np.eye(len(policy)) - discount * moves, reward), float)


def table_truth(dream: Outcomes, real: Outcomes, initial: Float) -> Iterator[Figure]:
    """Yield how far a dream is from the real world, and what a planner in it gets outside.

    Args:
        dream: the learned world.
        real: the real one.
        initial: how often the real world begins in each state, `[S]`.
    """
    dreamed, true = chain(dream), chain(real)
    alive = true.goes_on.sum(-1).any(1)  # [S], not so where the episode is over
    apart = np.abs(dreamed.goes_on - true.goes_on) + np.abs(dreamed.ends - true.ends)  # [S, A, S]
    distance = 0.5 * apart.sum(-1)
    policy, promised = best_policy(dreamed)
    _, best = best_policy(true)
    gets = policy_values(true, policy)
    said = f"at a discount of {DISCOUNT}"
    figures = {
        "total_variation": (distance[alive].mean(), "mean over states and actions; 0 is true"),
        "promised_return": (initial @ promised, f"of the best policy in the dream, {said}"),
        "real_return": (initial @ gets, f"of that policy in the real world, {said}"),
        "exploitability": (initial @ (promised - gets), "promised less real: gained by errors"),
        "regret": (initial @ (best - gets), "the best real return less that of the policy"),
    }
    for name, (value, meaning) in figures.items():
        yield Figure(name, float(value), meaning)


def beside_real_table(world: World) -> Iterator[Figure]:
    """Yield `table_truth` of a world that was counted, where the real one tells its table."""
    if isinstance(world.dynamics, TableWorld):
        with closing(world.spec.make()) as real:
            if (table := real_table(real)) is not None:
                yield from table_truth(world.dynamics.model(), *table)


def real_table(env: Any) -> tuple[Outcomes, Float] | None:
    """Return the table that a world tells of itself, and how it begins; None: it tells none."""
    inner = env.unwrapped
    table, initial = (getattr(inner, name, None) for name in ("P", "initial_state_distrib"))
    if table is None or initial is None:
        return None
    return table, np.asarray(initial, np.float64)
