"""Kinds of agents: with a model or without, of values, of policies, or of both."""

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401
from agents.algorithms import ALGORITHMS, find_algorithm
from agents.tabular.model import NoModelError

VALUES = {"dqn", "sarsa", "expected-sarsa", "q-learning", "double-q-learning"}
POLICIES = {"reinforce", "a2c", "ppo"}
WITH_A_MODEL = {"value-iteration", "policy-iteration"}


def agent_of(name, env="dreamgym/Lake-v0"):
    return find_algorithm(name).agent_type()(env)


def test_A_CORE_03_with_a_model_or_without():
    ours = {name for name in ALGORITHMS if not name.startswith("sb3-") and name != "bc"}
    assert ours == VALUES | POLICIES | WITH_A_MODEL
    assert {name for name in ours if find_algorithm(name).agent_type().plans} == WITH_A_MODEL
    for name in WITH_A_MODEL:  # a world that shows none is nothing to plan in
        with pytest.raises(NoModelError):
            agent_of(name, gym.make("Blackjack-v1")).learn(1, progress=False)


@pytest.mark.parametrize("name", sorted(VALUES))
def test_A_CORE_03_who_learns_values_acts_by_their_maximum(name):
    agent = agent_of(name).learn(600, progress=False)
    states = np.arange(16)
    values = agent.q_values(states) if name == "dqn" else agent.q  # [S, A]
    actions, _ = agent.predict(states, deterministic=True)
    assert values.shape == (16, 4)
    np.testing.assert_array_equal(values[states, actions], values.max(1))


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_A_CORE_03_who_learns_a_policy_acts_by_its_probabilities(name):
    agent = agent_of(name).learn(2000, progress=False)
    state = np.full(4000, 5)
    outputs, _ = agent.policy(agent._seen(state), None, None)  # logits [N, A]
    odds = np.exp(outputs[0] - outputs[0].max())
    found = np.bincount(agent.predict(state)[0], minlength=4) / len(state)
    np.testing.assert_allclose(found, odds / odds.sum(), atol=0.05)
    assert agent.values(agent.observation_space.sample()[None]).shape == (1,)  # both, or a baseline


def test_the_list_of_algorithms_knows_how_many_copies_each_trains_on():
    pytest.importorskip("stable_baselines3")
    for name, algorithm in ALGORITHMS.items():
        assert algorithm.num_envs == algorithm.agent_type().default_num_envs, name
