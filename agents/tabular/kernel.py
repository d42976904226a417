"""Tabular temporal-difference learning, one step at a time, and fused with the world it learns in.

Every function here is written once and runs twice: on memory views with Python numbers, and
compiled by numba on the arrays behind them, bit for bit alike. Tables are flat: the pair of state s
and action a has index s·A + a; double Q-learning's second table follows the first.

Sources: Sutton and Barto, 2018, "Reinforcement Learning", chapters 6 and 12; Watkins, 1989; van
Hasselt, 2010, "Double Q-learning"; van Seijen et al., 2009, for expected SARSA; Singh and Sutton,
1996, for replacing traces; Singh et al., 2000, for GLIE exploration.
"""

from typing import Any, NamedTuple

from .draws import below, draw, episode_key, uniform

Table = Any  # a NumPy array where compiled, a memory view of it where not
Word = Any  # np.uint64 where compiled, int where not

SARSA, EXPECTED_SARSA, Q_LEARNING, DOUBLE_Q_LEARNING = range(4)
STEPS, CHOICES, TRACES = range(3)  # places in `Memory.counters`
FORGOTTEN = 1e-12  # a trace below it is dropped


class Rule(NamedTuple):
    """What is learned, as numbers; see `TabularConfig`."""

    algorithm: int
    num_actions: int
    num_pairs: int  # S·A
    discount: float
    learning_rate: float
    learning_rate_decay: float
    trace_decay: float
    glie: bool
    epsilon_start: float
    epsilon_end: float
    exploration_steps: int
    key: Word  # of the random stream


class Memory(NamedTuple):
    """All that changes while learning; P = S·A pairs, twice as many for double Q-learning."""

    q: Table  # float [P]
    visits: Table  # int [P] updates of each pair
    trace: Table  # float [P] learning rate times eligibility, of the active pairs
    active: Table  # int [P] pairs with a trace: the first counters[TRACES]
    counters: Table  # int [3] transitions learned, actions chosen, active traces


class World(NamedTuple):
    """A `Model` as flat tables, with the limits that a uniform draw is compared with."""

    limits: Table  # float [S·A·K] cumulative probabilities
    next_state: Table  # int [S·A·K]
    reward: Table  # float [S·A·K]
    terminated: Table  # bool [S·A·K]
    starts: Table  # int [M] states an episode may begin in
    start_limits: Table  # float [M] cumulative probabilities
    outcomes: int  # K
    time_limit: int
    root: Word  # of the random stream


class Place(NamedTuple):
    """Where in the world the learner is, between two calls of `run`."""

    numbers: Table  # int [4] state, time (below 0: no episode yet), episode, pending pair or -1
    rewards: Table  # float [2] collected in this episode, of the pending pair


class Finished(NamedTuple):
    """Episodes that ended during a call of `run`."""

    step: Table  # int [E] steps of the call taken by then
    total_reward: Table  # float [E]
    length: Table  # int [E]


def exploration(rule: Rule, memory: Memory, state: int) -> float:
    """Return ε: linear in the transitions learned, or ε₀ / n at the n-th visit of the state."""
    start, end = rule.epsilon_start, rule.epsilon_end
    if rule.glie:
        n = 1
        for pair in range(state * rule.num_actions, (state + 1) * rule.num_actions):
            n += memory.visits[pair]
            if rule.algorithm == DOUBLE_Q_LEARNING:
                n += memory.visits[rule.num_pairs + pair]
        return start / n
    step = memory.counters[STEPS]
    if step >= rule.exploration_steps:
        return end
    return start + (end - start) * step / rule.exploration_steps


def acting_value(rule: Rule, memory: Memory, pair: int) -> float:
    """Return the value that actions are chosen by: Q, or Q₁ + Q₂."""
    if rule.algorithm == DOUBLE_Q_LEARNING:
        return memory.q[pair] + memory.q[rule.num_pairs + pair]
    return memory.q[pair]


def choose(rule: Rule, memory: Memory, state: int) -> int:
    """Choose ε-greedily; of equally good actions each is as likely."""
    number = memory.counters[CHOICES]
    memory.counters[CHOICES] = number + 1
    u, most = uniform(draw(rule.key, number, 0)), max(rule.epsilon_start, rule.epsilon_end)
    if u < most and u < exploration(rule, memory, state):
        return below(draw(rule.key, number, 1), rule.num_actions)
    first = state * rule.num_actions
    best, top, ties = 0, acting_value(rule, memory, first), 1
    for action in range(1, rule.num_actions):
        value = acting_value(rule, memory, first + action)
        tied = value == top  # told apart before `top` moves, the two tests need no branch
        if value > top:
            best, top, ties = action, value, 1
        if tied:
            ties += 1
    if ties > 1:
        skip = below(draw(rule.key, number, 2), ties)
        while skip > 0:
            best += 1
            if acting_value(rule, memory, first + best) == top:
                skip -= 1
    return best


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


def learn(
    rule: Rule, memory: Memory, pair: int, reward: float, next_state: int, terminated: bool
) -> bool:
    """Learn from a transition; return whether the update waits for the next action.

    Only SARSA's does, as long as the episode goes on.

    Args:
        rule: what to learn.
        memory: changed in place.
        pair: index of (s, a).
        reward: r.
        next_state: s', also where the episode ended.
        terminated: whether s' has no value: γ is 0 then.
    """
    q, num_actions = memory.q, rule.num_actions
    step = memory.counters[STEPS]
    memory.counters[STEPS] = step + 1
    discount = 0.0 if terminated else rule.discount
    first = next_state * num_actions
    if rule.algorithm == Q_LEARNING:
        bootstrap = q[best_pair(memory, first, num_actions)]
        if rule.trace_decay > 0:
            here = pair - pair % num_actions
            if q[pair] < q[best_pair(memory, here, num_actions)]:
                memory.counters[TRACES] = 0  # Watkins: the past did not lead here greedily
    elif rule.algorithm == DOUBLE_Q_LEARNING:
        chooser, valuer = 0, rule.num_pairs
        if below(draw(rule.key, step, 3), 2) == 1:
            chooser, valuer = rule.num_pairs, 0
        best = best_pair(memory, chooser + first, num_actions) - chooser
        bootstrap = q[valuer + best]
        pair = chooser + pair
    elif rule.algorithm == EXPECTED_SARSA:
        top, total = q[best_pair(memory, first, num_actions)], 0.0
        for k in range(first, first + num_actions):
            total += q[k]
        epsilon = exploration(rule, memory, next_state)
        bootstrap = epsilon * (total / num_actions) + (1.0 - epsilon) * top
    elif terminated:
        bootstrap = 0.0
    else:
        return True
    update(rule, memory, pair, reward + discount * bootstrap)
    return False


def learn_sarsa(rule: Rule, memory: Memory, pair: int, reward: float, next_pair: int) -> None:
    """Complete SARSA's update with the next action taken: y = r + γ·Q(s', a')."""
    update(rule, memory, pair, reward + rule.discount * memory.q[next_pair])


def finish(
    rule: Rule, memory: Memory, pair: int, reward: float, next_state: int, waits: bool
) -> None:
    """End an episode: where an update waits, its next action is drawn here and never executed."""
    if waits:
        next_pair = next_state * rule.num_actions + choose(rule, memory, next_state)
        learn_sarsa(rule, memory, pair, reward, next_pair)
    memory.counters[TRACES] = 0


def best_pair(memory: Memory, first: int, num_actions: int) -> int:
    """Return the index of the largest of `num_actions` values from `first` on."""
    best, top = first, memory.q[first]
    for k in range(first + 1, first + num_actions):
        value = memory.q[k]
        if value > top:
            best, top = k, value
    return best


def first_above(limits: Table, u: float) -> int:
    """Return the index of the first of the ascending limits above u; the last one is."""
    low, high = 0, len(limits) - 1
    while low < high:
        middle = (low + high) // 2
        if u < limits[middle]:
            high = middle
        else:
            low = middle + 1
    return low


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
        rule: what to learn.
        memory: changed in place.
        world: where.
        place: where in it; changed in place.
        steps: at most how many.
        last: after `steps` steps the open episode is truncated, and not counted as finished.
        finished: receives the episodes that end.

    Returns:
        Steps taken, episodes finished.
    """
    numbers, rewards = place.numbers, place.rewards
    state, time, episode, pending = numbers[0], numbers[1], numbers[2], numbers[3]
    total, pending_reward = rewards[0], rewards[1]
    key = episode_key(world.root, episode)
    num_actions, outcomes = rule.num_actions, world.outcomes
    step = episodes = 0
    while step < steps and episodes < len(finished.step):
        if time < 0:
            episode += 1
            key = episode_key(world.root, episode)
            state = world.starts[first_above(world.start_limits, uniform(draw(key, 0, 0)))]
            time, total = 0, 0.0
        pair = state * num_actions + choose(rule, memory, state)
        if pending >= 0:
            learn_sarsa(rule, memory, pending, pending_reward, pair)
        step += 1
        time += 1
        u = uniform(draw(key, time, 0))
        outcome = pair * outcomes
        for k in range(outcome, outcome + outcomes - 1):
            outcome += u >= world.limits[k]
        state, reward = world.next_state[outcome], world.reward[outcome]
        terminated, truncated = world.terminated[outcome], time >= world.time_limit
        total += reward
        waits = learn(rule, memory, pair, reward, state, terminated)
        if terminated or truncated or (last and step == steps):
            finish(rule, memory, pair, reward, state, waits)
            waits = False
        pending, pending_reward = (pair if waits else -1), reward
        if terminated or truncated:
            finished.step[episodes] = step
            finished.total_reward[episodes] = total
            finished.length[episodes] = time
            episodes += 1
            time = -1
    numbers[0], numbers[1], numbers[2], numbers[3] = state, time, episode, pending
    rewards[0], rewards[1] = total, pending_reward
    return step, episodes
