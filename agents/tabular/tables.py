"""What tabular learning reads and writes: plain records of numbers and arrays, as numba takes them.

Tables are flat: the pair of state s and action a has index s·A + a, and there are P = S·A of them.
Double Q-learning's second table follows the first.
"""

from typing import Any, NamedTuple

Array = Any  # a NumPy array where compiled, a memory view of it where not
Word = Any  # np.uint64 where compiled, int where not

STEPS, CHOICES, TRACES = range(3)  # places in `Memory.counters`


class Rule(NamedTuple):
    """How to learn and explore, as numbers; see `TabularConfig`."""

    tables: int  # K: two for double Q-learning
    num_actions: int  # A
    num_pairs: int  # P
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
    """All that changes while learning."""

    q: Array  # float [K·P] action values
    visits: Array  # int [K·P] updates of each
    trace: Array  # float [P] learning rate times eligibility, of the active pairs
    active: Array  # int [P] pairs with a trace: the first counters[TRACES]
    counters: Array  # int [3] transitions met, actions chosen, active traces
    allowed: Array  # bool [K·P] which actions a state allows; None: all of them, always


class World(NamedTuple):
    """A `Model` as flat arrays, with the limits that a uniform draw is compared with."""

    limits: Array  # float [P·O] cumulative probabilities
    next_state: Array  # int [P·O]
    reward: Array  # float [P·O]
    terminated: Array  # bool [P·O]
    starts: Array  # int [M] states an episode may begin in
    start_limits: Array  # float [M] cumulative probabilities
    outcomes: int  # O
    time_limit: int
    root: Word  # of the random stream


class Place(NamedTuple):
    """Where in the world the learner is, between two calls of the loop."""

    state: Array  # int [1]
    action: Array  # int [1] to be taken next; below 0: not chosen yet
    time: Array  # int [1] steps of this episode; below 0: the next one has not begun
    episode: Array  # int [1] counted from 0
    total_reward: Array  # float [1] of this episode


class Finished(NamedTuple):
    """Episodes that ended during a call of the loop."""

    step: Array  # int [E] steps of the call taken by then
    total_reward: Array  # float [E]
    length: Array  # int [E]
