"""What tables learn towards: the four targets, as functions that numba compiles, too.

pair_t is the place of Q(s', a') in a flat table, first_t that of the first of the values of s'.
`allowed` says which actions there are (`Memory`); where it is None, nothing of it is compiled.
"""

import math

from .tables import Array

NEVER = -math.inf  # in place of the value of an action that is not allowed


def sarsa_target(q: Array, r_t: float, discount_t: float, pair_t: int) -> float:
    """Return r + γ·Q(s', a'), a' the next action taken."""
    return r_t + discount_t * q[pair_t]


def expected_sarsa_target(
    q: Array,
    r_t: float,
    discount_t: float,
    first_t: int,
    num_actions: int,
    epsilon: float,
    allowed: Array = None,
) -> float:
    """Return r + γ·Σ_a π(a|s')·Q(s', a), π the ε-greedy policy."""
    greedy = q[argmax(q, first_t, num_actions, allowed)]
    uniform = mean(q, first_t, num_actions, allowed)
    return r_t + discount_t * (epsilon * uniform + (1.0 - epsilon) * greedy)


def q_learning_target(
    q: Array,
    r_t: float,
    discount_t: float,
    first_t: int,
    num_actions: int,
    allowed: Array = None,
) -> float:
    """Return r + γ·max_a Q(s', a)."""
    return r_t + discount_t * q[argmax(q, first_t, num_actions, allowed)]


def double_q_learning_target(
    q: Array,
    r_t: float,
    discount_t: float,
    first_t: int,
    num_actions: int,
    twin: int,
    allowed: Array = None,
) -> float:
    """Return r + γ·Q₂(s', argmax_a Q₁(s', a)), Q₂ lying `twin` places behind Q₁."""
    return r_t + discount_t * q[argmax(q, first_t, num_actions, allowed) + twin]


def argmax(q: Array, first: int, count: int, allowed: Array = None) -> int:
    """Return the index of the largest of `count` values from `first` on, of actions allowed."""
    if allowed is not None:
        best, top = first, NEVER
        for k in range(first, first + count):
            if allowed[k] and q[k] > top:
                best, top = k, q[k]
        return best
    best, top = first, q[first]
    for k in range(first + 1, first + count):
        value = q[k]
        if value > top:
            best, top = k, value
    return best


def mean(q: Array, first: int, count: int, allowed: Array = None) -> float:
    """Return the mean of `count` values from `first` on, of actions allowed."""
    total = 0.0
    if allowed is not None:
        number = 0
        for k in range(first, first + count):
            if allowed[k]:
                total += q[k]
                number += 1
        return total / number
    for k in range(first, first + count):
        total += q[k]
    return total / count
