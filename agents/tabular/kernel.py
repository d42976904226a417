"""Tabular temporal-difference learning, one step at a time, and fused with the world it learns in.

Every function here is written once and runs twice: on memory views with Python numbers, and
compiled by numba on the arrays behind them, bit for bit alike. `tables` says what the arrays hold.

Sources: Sutton and Barto, 2018, "Reinforcement Learning", chapters 6 and 12; Singh and Sutton,
1996, for replacing traces.
"""

from collections.abc import Callable

from .choosing import UNDECIDED, choose, exploration
from .draws import below, draw, episode_key, uniform
from .tables import STEPS, TRACES, Array, Finished, Memory, Place, Rule, World
from .targets import (
    argmax,
    double_q_learning_target,
    expected_sarsa_target,
    q_learning_target,
    sarsa_target,
)

FORGOTTEN = 1e-12  # a trace below it is dropped


def update(rule: Rule, memory: Memory, pair: int, target: float) -> None:
    """Move Q of a pair towards its target, and of earlier pairs by their traces.

    δ = target - Q(s, a); e(s, a) ← α, all other e ← γλ·e; Q ← Q + e·δ.
    """
    q, trace, active, counters = memory.q, memory.trace, memory.active, memory.counters
    n = memory.visits[pair] + 1
    memory.visits[pair] = n
    rate = rule.learning_rate
    if rule.learning_rate_decay > 0:
        rate = rate / n**rule.learning_rate_decay
    delta = target - q[pair]
    if rule.trace_decay > 0:
        decay, kept = rule.discount * rule.trace_decay, 0
        for k in range(counters[TRACES]):
            earlier = active[k]
            eligibility = trace[earlier] * decay
            if earlier != pair and eligibility > FORGOTTEN:
                trace[earlier] = eligibility
                q[earlier] = q[earlier] + eligibility * delta
                active[kept] = earlier
                kept += 1
        trace[pair] = rate
        active[kept] = pair
        counters[TRACES] = kept + 1
    q[pair] = q[pair] + rate * delta


Algorithm = Callable[[Rule, Memory, int, float, int, bool], int]
"""Learns from a transition: of (rule, memory, pair, reward, next state, whether it terminated).

Returns the next action where the algorithm had to choose one, else `UNDECIDED`.
"""


def sarsa(rule: Rule, memory: Memory, pair: int, r_t: float, s_t: int, terminated: bool) -> int:
    """Learn the policy that is followed (Rummery and Niranjan, 1994)."""
    if terminated:
        update(rule, memory, pair, r_t)
        return UNDECIDED
    action = choose(rule, memory, s_t)
    pair_t = s_t * rule.num_actions + action
    update(rule, memory, pair, sarsa_target(memory.q, r_t, rule.discount, pair_t))
    return action


def expected_sarsa(
    rule: Rule, memory: Memory, pair: int, r_t: float, s_t: int, terminated: bool
) -> int:
    """Learn the policy that is followed, by its expectation (van Seijen et al., 2009)."""
    discount, num_actions = 0.0 if terminated else rule.discount, rule.num_actions
    first_t, epsilon = s_t * num_actions, exploration(rule, memory, s_t)
    target = expected_sarsa_target(
        memory.q, r_t, discount, first_t, num_actions, epsilon, memory.allowed
    )
    update(rule, memory, pair, target)
    return UNDECIDED


def q_learning(
    rule: Rule, memory: Memory, pair: int, r_t: float, s_t: int, terminated: bool
) -> int:
    """Learn the greedy policy (Watkins, 1989)."""
    q, num_actions = memory.q, rule.num_actions
    discount = 0.0 if terminated else rule.discount
    target = q_learning_target(q, r_t, discount, s_t * num_actions, num_actions, memory.allowed)
    if rule.trace_decay > 0:
        first = pair - pair % num_actions
        if q[pair] < q[argmax(q, first, num_actions, memory.allowed)]:
            memory.counters[TRACES] = 0  # the past did not lead here greedily
    update(rule, memory, pair, target)
    return UNDECIDED


def double_q_learning(
    rule: Rule, memory: Memory, pair: int, r_t: float, s_t: int, terminated: bool
) -> int:
    """Learn the greedy policy with two tables whose roles are drawn (van Hasselt, 2010)."""
    num_actions, table, twin = rule.num_actions, 0, rule.num_pairs
    if below(draw(rule.key, memory.counters[STEPS] - 1, 3), 2) == 1:
        table, twin = twin, -twin
    discount, first_t = 0.0 if terminated else rule.discount, table + s_t * num_actions
    target = double_q_learning_target(
        memory.q, r_t, discount, first_t, num_actions, twin, memory.allowed
    )
    update(rule, memory, table + pair, target)
    return UNDECIDED


def first_above(limits: Array, u: float) -> int:
    """Return the index of the first of the ascending limits above u; the last one is."""
    low, high = 0, len(limits) - 1
    while low < high:
        middle = (low + high) // 2
        if u < limits[middle]:
            high = middle
        else:
            low = middle + 1
    return low


def loop_of(algorithm: Algorithm) -> Callable[..., tuple[int, int]]:
    """Return a function that plays and learns by one of the algorithms."""

    def run(
        rule: Rule,
        memory: Memory,
        world: World,
        place: Place,
        steps: int,
        last: bool,
        finished: Finished,
    ) -> tuple[int, int]:
        """Play and learn for up to `steps` steps, or until `finished` is full.

        Args:
            rule: how to learn.
            memory: changed in place.
            world: where.
            place: where in it; changed in place.
            steps: at most how many.
            last: after `steps` steps the open episode is truncated, and not counted as finished.
            finished: receives the episodes that end.

        Returns:
            Steps taken, episodes finished.
        """
        state, action, time = place.state[0], place.action[0], place.time[0]
        episode, total = place.episode[0], place.total_reward[0]
        key = episode_key(world.root, episode)
        num_actions, outcomes = rule.num_actions, world.outcomes
        step = episodes = 0
        while step < steps and episodes < len(finished.step):
            if time < 0:
                episode += 1
                key = episode_key(world.root, episode)
                state = world.starts[first_above(world.start_limits, uniform(draw(key, 0, 0)))]
                time, total = 0, 0.0
            if action < 0:
                action = choose(rule, memory, state)
            step += 1
            time += 1
            u, pair = uniform(draw(key, time, 0)), state * num_actions + action
            outcome = pair * outcomes
            for k in range(outcome, outcome + outcomes - 1):
                outcome += u >= world.limits[k]
            state, reward = world.next_state[outcome], world.reward[outcome]
            terminated, truncated = world.terminated[outcome], time >= world.time_limit
            total += reward
            memory.counters[STEPS] += 1
            action = algorithm(rule, memory, pair, reward, state, terminated)
            if terminated or truncated or (last and step == steps):
                memory.counters[TRACES] = 0
                action = UNDECIDED
            if terminated or truncated:
                finished.step[episodes] = step
                finished.total_reward[episodes] = total
                finished.length[episodes] = time
                episodes += 1
                time = -1
        place.state[0], place.action[0], place.time[0] = state, action, time
        place.episode[0], place.total_reward[0] = episode, total
        return step, episodes

    return run
