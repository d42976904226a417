"""Every update of tabular agents is the textbooks', and endings are what they are said to be."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest
import torch
from tabular_kinds import KINDS, allowed, make, random_model

from agents.environments.stepping import SingleStepper
from agents.loop.experience import Transition
from agents.loop.interaction import Interaction
from agents.tabular import draws as counter
from agents.tabular.model import Model
from agents.tabular.model_env import model_env
from agents.tabular.temporal_difference import (
    DoubleQLearning,
    ExpectedSarsa,
    QLearning,
    Sarsa,
    Tabular,
)

# Every update is what the books say --------------------------------------------------------------


class Step(NamedTuple):
    state: int
    action: int
    reward: float
    next_state: int
    terminated: bool
    truncated: bool
    next_action: int  # taken, or drawn where the episode is truncated


def recorded(agent: Tabular, model: Model, limit: int, steps: int) -> Iterator[Step]:
    """Let `agent` learn step by step from a world, and tell what it met, one step late."""
    env = model_env(model, limit)
    observation, _ = env.reset(seed=1)
    start, waiting = True, None
    for _ in range(steps):
        action = int(agent.act(np.array([observation]), np.array([start]))[0][0])
        if waiting is not None:
            yield Step(*waiting, next_action=action)
        following, reward, terminated, truncated, _ = env.step(action)
        key, choice = agent.rule.key, int(agent.arrays.counters[1])
        q_before = agent.arrays.q.copy()
        agent.observe(
            Transition(
                *(np.array([x]) for x in (observation, action, reward, following)),
                np.array([terminated]),
                np.array([truncated]),
                np.array([True]),
                {},
            )
        )
        waiting = (observation, action, reward, following, terminated, truncated)
        observation, start = following, terminated or truncated
        if start:
            drawn = -1
            if int(agent.arrays.counters[1]) > choice:
                drawn = epsilon_greedy_again(agent, q_before, following, key, choice)
            yield Step(*waiting, next_action=drawn)
            waiting, (observation, _) = None, env.reset()
    if waiting is not None:
        action = int(agent.act(np.array([observation]), np.array([start]))[0][0])
        yield Step(*waiting, next_action=action)


def epsilon_greedy_again(agent: Tabular, q: np.ndarray, state: int, key: int, choice: int) -> int:
    """The choice with this number, made again from the documented stream."""
    values = q.reshape(-1, agent.actions.size)[state]
    if counter.uniform(counter.draw(key, choice, 0)) < agent.config.epsilon_start:
        return counter.below(counter.draw(key, choice, 1), agent.actions.size)
    best = np.flatnonzero(values == values.max())
    return int(best[counter.below(counter.draw(key, choice, 2), len(best))])


def learn_by_the_book(agent: Tabular, steps: list[Step]) -> np.ndarray:
    """The textbook algorithms on two-dimensional tables with dense traces."""
    c, rule = agent.config, agent.rule
    shape = (agent.states.size, agent.actions.size)
    tables = [np.full(shape, c.initial_value) for _ in range(agent.tables)]
    visits = [np.zeros(shape, int) for _ in tables]
    trace = np.zeros(shape)
    epsilon, share = c.epsilon_start, c.epsilon_start / shape[1]
    for t, step in enumerate(steps):
        s, a, following = step.state, step.action, step.next_state
        discount = 0.0 if step.terminated else c.discount
        one = two = 0
        if isinstance(agent, DoubleQLearning):
            one = counter.below(counter.draw(rule.key, t, 3), 2)
            two = 1 - one
        q, other = tables[one], tables[two]
        if isinstance(agent, Sarsa):
            bootstrap = 0.0 if step.terminated else q[following, step.next_action]
        elif isinstance(agent, ExpectedSarsa):
            policy = np.full(shape[1], share)
            policy[q[following].argmax()] += 1 - epsilon
            bootstrap = policy @ q[following]
        else:
            bootstrap = other[following, q[following].argmax()]
        delta = step.reward + discount * bootstrap - q[s, a]
        visits[one][s, a] += 1
        rate = c.learning_rate / visits[one][s, a] ** c.learning_rate_decay
        trace *= c.discount * agent.trace_decay
        if isinstance(agent, QLearning) and q[s, a] < q[s].max():
            trace[:] = 0  # Watkins
        trace[s, a] = rate
        q += delta * trace
        if step.terminated or step.truncated:
            trace[:] = 0
    return np.array(tables)


@pytest.mark.parametrize(
    "settings",
    [
        {"initial_value": -1.0},
        {"learning_rate": 0.9, "learning_rate_decay": 0.7},
        {"trace_decay": 0.8},
        {"trace_decay": 1.0, "discount": 1.0, "learning_rate_decay": 0.9},
    ],
    ids=["constant", "decaying", "traces", "returns"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_A_TD_01_A_TD_02_A_TD_03_updates_are_the_textbooks(
    kind: type[Tabular], settings: dict
) -> None:
    shares = {"epsilon_start": 0.3, "epsilon_end": 0.3}
    model = random_model(4)
    agent = make(kind, model_env(model), **allowed(kind, settings), **shares)
    steps = list(recorded(agent, model, limit=6, steps=600))
    assert any(step.truncated for step in steps)
    assert any(step.terminated for step in steps)
    expected = learn_by_the_book(agent, steps)
    found = agent.arrays.q.reshape(expected.shape)
    assert np.abs(found - expected).max() < 1e-11
    assert agent.arrays.visits.sum() == len(steps)


def rows(*columns: list) -> Transition:
    arrays = [np.array(column) for column in columns]
    return Transition(*arrays, valid=np.ones(len(arrays[0]), bool), extras={})


def test_A_TD_02_SARSA_learns_from_the_action_it_takes_next() -> None:
    taken = set()
    for seed in range(20):
        agent = make(Sarsa, "FrozenLake-v1", seed, learning_rate=0.5, discount=0.9, epsilon_end=0.5)
        agent.arrays.q[:] = np.arange(64.0)  # in every state action 3 is the best: 4·s + 3
        agent.arrays.counters[0] = 10**6  # exploration has come to its end
        no = [False]
        agent.observe(rows([2], [1], [1.0], [5], no, no))
        action = int(agent.act(np.array([5]), np.array([False]))[0][0])
        target = 1.0 + 0.9 * (20.0 + action)
        assert agent.q[2, 1] == pytest.approx(9.0 + 0.5 * (target - 9.0))
        assert agent.arrays.counters[1] == 1  # it was chosen once
        taken.add(action)
    assert len(taken) > 1


def test_A_TD_02_SARSA_learns_at_once_where_the_episode_ends() -> None:
    for terminated, target in ((True, 1.0), (False, 1.0 + 0.9 * 23.0)):
        agent = make(Sarsa, "FrozenLake-v1", learning_rate=0.5, discount=0.9, epsilon_end=0.0)
        agent.arrays.q[:] = np.arange(64.0)
        agent.arrays.counters[0] = 10**6
        agent.observe(rows([2], [1], [1.0], [5], [terminated], [not terminated]))
        learned = 9.0 + 0.5 * (target - 9.0)
        assert agent.q[2, 1] == pytest.approx(learned)
        agent.act(np.array([0]), np.array([True]))
        assert agent.q[2, 1] == pytest.approx(learned)  # the next episode changes nothing


def test_A_TD_02_SARSA_chooses_anew_where_an_episode_starts() -> None:
    agent = make(Sarsa, "FrozenLake-v1", epsilon_start=0.0, epsilon_end=0.0)
    agent.arrays.q.reshape(16, 4)[[0, 5], [1, 3]] = 1.0  # the best: 1 in state 0, 3 in state 5
    agent.observe(rows([2], [1], [1.0], [5], [False], [False]))
    assert agent.act(np.array([0]), np.array([True]))[0].tolist() == [1]  # the episode was dropped


def test_A_TD_03_double_q_learning_values_one_tables_choice_with_the_other() -> None:
    chosen = set()
    for seed in range(20):
        agent = make(DoubleQLearning, "FrozenLake-v1", seed, learning_rate=1.0, discount=0.9)
        one, two = agent.arrays.q[:64].reshape(16, 4), agent.arrays.q[64:].reshape(16, 4)
        one[5], two[5] = [0.0, 10.0, 4.0, 1.0], [3.0, 2.0, 8.0, 0.0]
        agent.observe(rows([2], [1], [0.0], [5], [False], [False]))
        changed = 1 if two[2, 1] else 0
        chosen.add(changed)
        assert (one, two)[changed][2, 1] == pytest.approx(0.9 * (2.0, 4.0)[changed])
        assert (one, two)[1 - changed][2, 1] == 0.0
    assert chosen == {0, 1}


def test_A_FA_01_linear_semi_gradient_on_one_hot_features_is_q_learning_bit_for_bit() -> None:
    model = random_model(6)
    agent = make(QLearning, model_env(model), epsilon_end=0.3, epsilon_start=0.3)
    weights = torch.zeros(36, dtype=torch.float64, requires_grad=True)
    features = torch.eye(36, dtype=torch.float64).reshape(12, 3, 36)
    for step in recorded(agent, model, limit=5, steps=400):
        value = features[step.state, step.action] @ weights
        with torch.no_grad():
            following = (features[step.next_state] @ weights).max()
            discount = agent.config.discount * (1 - step.terminated)
            delta = step.reward + discount * following - value
        (gradient,) = torch.autograd.grad(value, weights)
        with torch.no_grad():
            weights += agent.config.learning_rate * delta * gradient
    assert weights.detach().tolist() == agent.arrays.q.tolist()
    assert np.abs(agent.q).max() > 0.5


# Endings -----------------------------------------------------------------------------------------

LOOP = Model.from_table({0: {0: [(1.0, 0, 1.0, False)]}}, [1.0])  # worth 1 / (1 - γ) for ever
ONCE = Model.from_table({0: {0: [(1.0, 0, 1.0, True)]}}, [1.0])  # worth 1, whatever its own value


class TruncationAsTermination(gym.Wrapper):
    """The mistake to be seen: a time limit reported as the end of the world."""

    def step(self, action: int) -> tuple:
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, terminated or truncated, False, info


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_A_CORE_01_a_time_limit_does_not_end_the_value(kind: type[Tabular], fused: bool) -> None:
    agent = make(kind, model_env(LOOP, 3), discount=0.9, learning_rate=0.5, fused=fused)
    agent.learn(1_500, progress=False)
    assert agent.values == pytest.approx([10.0], abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_A_CORE_01_taking_a_time_limit_for_an_end_gives_another_value(kind: type[Tabular]) -> None:
    env = model_env(LOOP, 3)
    agent = make(kind, env, discount=0.9, learning_rate=0.5)
    Interaction(agent, SingleStepper(TruncationAsTermination(env)), 0).advance(1_500)
    assert 1.0 <= agent.values[0] < 6.0


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_A_CORE_01_termination_ends_the_value(kind: type[Tabular], fused: bool) -> None:
    agent = make(kind, model_env(ONCE), discount=0.9, learning_rate=0.5, fused=fused)
    agent.learn(300, progress=False)
    assert agent.values == pytest.approx([1.0], abs=1e-9)
    through = make(kind, model_env(replace(ONCE, terminated=~ONCE.terminated)), discount=0.9)
    through.learn(1_500, progress=False)
    assert through.values[0] > 5.0  # bootstrapping through the end would be seen
