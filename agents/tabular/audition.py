"""A world is played, and what it does is compared with what its table says of it."""

import math
from collections import Counter, defaultdict

import gymnasium as gym
import numpy as np

from nets.foreign import blaming
from nets.process.seeding import seeded

from ..environments.masks import KEY, Telling
from ..environments.spaces import TableIndex
from .model import Model

SEED = 0
TRIES, FEWEST, MOST = 30, 2_000, 30_000  # steps for each state and action, and in all
STRETCH = 1_000  # steps after which an episode is left
DEVIATIONS = 6.0

Outcome = tuple[int, float, bool]  # next state, reward, terminated
Counts = dict[tuple[int, int], Counter[Outcome]]  # of state and action


def contradiction(world: gym.Env, model: Model) -> str:
    """Play `world`, and say where it does not do as `model` says; nothing, if it does.

    In each state the action is taken that was tried least, of those allowed. Every step must be an
    outcome that the table has, and all of them together as frequent as it says: over states and
    actions, Pearson's Σ_k (n_k − n·p_k)² / (n·p_k) is K − 1 on average, and may be six deviations
    more.
    """
    states = TableIndex(world.observation_space, f"{model.name}: the observation space")
    actions = TableIndex(world.action_space, f"{model.name}: the action space")
    if (states.size, actions.size) != (model.num_states, model.num_actions):
        return f"it has {model.num_states} states, {states.size} are observed"
    first = int(getattr(world.action_space, "start", 0))
    steps = min(max(TRIES * states.size * actions.size, FEWEST), MOST)
    tried = np.zeros((states.size, actions.size), np.int64)
    counts: Counts = defaultdict(Counter)
    over, length, told = True, 0, Telling(world)
    seed: int | None = SEED
    with seeded(SEED), blaming(f"the environment {world}, when it was compared with its table"):
        for _ in range(steps):
            if over or length == STRETCH:
                observation, info = told.reset(seed=seed) if seed is not None else told.reset()
                seed, length = None, 0
                state = states.rows(observation)[0]
                if model.initial[state] <= 0:
                    return f"an episode began in state {state}, where it says that none does"
            allowed = np.asarray(info.get(KEY, 1), bool)
            action = int(np.where(allowed, tried[state], steps).argmin())
            observation, reward, terminated, truncated, info = told.step(action + first)
            following = states.rows(observation)[0]
            outcome = _outcome(model, state, action, following, float(reward), bool(terminated))
            if outcome is None:
                done = f"action {action} in state {state} led to state {following}"
                end = "the end" if terminated else "no end"
                return f"{done} with the reward {float(reward):g} and {end}, which it does not have"
            tried[state, action] += 1
            counts[state, action][outcome] += 1
            state, over, length = following, bool(terminated or truncated), length + 1
    excess = _excess(model, counts)
    return f"its outcomes have other probabilities ({excess:.0f} deviations)" if excess else ""


def _outcome(
    model: Model, state: int, action: int, following: int, reward: float, terminated: bool
) -> Outcome | None:
    """Return the outcome that the table has for a step; None where it has none."""
    for outcome in _distribution(model, state, action):
        alike = math.isclose(outcome[1], reward, rel_tol=1e-6, abs_tol=1e-9)
        if alike and (outcome[0], outcome[2]) == (following, terminated):
            return outcome
    return None


def _distribution(model: Model, state: int, action: int) -> dict[Outcome, float]:
    """Return the outcomes of an action and their probabilities, equal ones joined."""
    found: dict[Outcome, float] = defaultdict(float)
    pair = state, action
    for p, following, reward, terminated in zip(
        *(
            table[pair].tolist()
            for table in (model.probability, model.next_state, model.reward, model.terminated)
        ),
        strict=True,
    ):
        if p > 0:
            found[following, reward, terminated] += p
    return found


def _excess(model: Model, counts: Counts) -> float:
    """Return by how many deviations frequencies are off, 0 where that may be chance.

    Of n draws from p_1, ..., p_K, Pearson's statistic has the mean K − 1 and the variance
    2(K − 1) + (Σ_k 1/p_k − K² − 2K + 2) / n.
    """
    off = variance = 0.0
    for (state, action), seen in counts.items():
        distribution = _distribution(model, state, action)
        n, k = seen.total(), len(distribution)
        expected = {outcome: n * p for outcome, p in distribution.items()}
        off += sum((seen[outcome] - m) ** 2 / m for outcome, m in expected.items()) - (k - 1)
        inverse = sum(1 / p for p in distribution.values())
        variance += 2 * (k - 1) + (inverse - k * k - 2 * k + 2) / n
    return off / math.sqrt(variance) if off > DEVIATIONS * math.sqrt(max(variance, 0.0)) else 0.0
