"""How tabular agents act: ε-greedily, among the actions that are allowed.

Like `kernel`, on memory views with Python numbers, or compiled by numba. Source of GLIE
exploration: Singh et al., 2000, "Convergence results for single-step on-policy
reinforcement-learning algorithms".
"""

from .draws import below, draw, uniform
from .tables import CHOICES, STEPS, Array, Memory, Rule, Word
from .targets import NEVER

UNDECIDED = -1  # in place of an action that is not chosen yet


def exploration(rule: Rule, memory: Memory, state: int) -> float:
    """Return ε: linear in the transitions met, or ε₀ / n at the n-th visit of the state."""
    start, end = rule.epsilon_start, rule.epsilon_end
    if rule.glie:
        n = 1
        for table in range(0, len(memory.q), rule.num_pairs):
            first = table + state * rule.num_actions
            for pair in range(first, first + rule.num_actions):
                n += memory.visits[pair]
        return start / n
    step = memory.counters[STEPS]
    if step >= rule.exploration_steps:
        return end
    return start + (end - start) * step / rule.exploration_steps


def acting_value(q: Array, allowed: Array, pair: int, twin: int) -> float:
    """Return what actions are chosen by: Q, or Q₁ + Q₂ `twin` places on; −∞ where not allowed."""
    if allowed is not None and not allowed[pair]:
        return NEVER
    if twin > 0:
        return q[pair] + q[twin + pair]
    return q[pair]


def choose(rule: Rule, memory: Memory, state: int) -> int:
    """Choose ε-greedily; of equally good actions each is as likely."""
    number = memory.counters[CHOICES]
    memory.counters[CHOICES] = number + 1
    u, most = uniform(draw(rule.key, number, 0)), max(rule.epsilon_start, rule.epsilon_end)
    first, allowed = state * rule.num_actions, memory.allowed
    if u < most and u < exploration(rule, memory, state):
        return any_action(draw(rule.key, number, 1), first, rule.num_actions, allowed)
    q, twin = memory.q, rule.num_pairs if rule.tables == 2 else 0
    best, top, ties = 0, acting_value(q, allowed, first, twin), 1
    for action in range(1, rule.num_actions):
        value = acting_value(q, allowed, first + action, twin)
        tied = value == top  # told apart before `top` moves, the two tests need no branch
        if value > top:
            best, top, ties = action, value, 1
        if tied:
            ties += 1
    if ties > 1:
        skip = below(draw(rule.key, number, 2), ties)
        while skip > 0:
            best += 1
            if acting_value(q, allowed, first + best, twin) == top:
                skip -= 1
    return best


def any_action(bits: Word, first: int, num_actions: int, allowed: Array) -> int:
    """Return an action that is allowed, each as likely as the others."""
    if allowed is None:
        return below(bits, num_actions)
    number = 0
    for k in range(first, first + num_actions):
        if allowed[k]:
            number += 1
    action, skip = -1, below(bits, number)
    while skip >= 0:
        action += 1
        if allowed[first + action]:
            skip -= 1
    return action
