"""Agents answer names of stable-baselines3 with their own, and stay what they are otherwise."""

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest

import agents
from nets.habits import ATTRIBUTES


@pytest.fixture(scope="module")
def dqn():
    return agents.DQN("CartPole-v1", agents.DQNConfig(hidden=(4,)))


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_of_theirs_is_answered_with_ours(dqn, name):
    with pytest.raises(AttributeError) as error:
        getattr(dqn, name)
    assert str(error.value) == f"DQN has no attribute {name!r}: {ATTRIBUTES[name]}"
    assert not hasattr(dqn, name)


def test_what_the_answers_name_is_there(dqn):
    assert (dqn.steps, dqn.epsilon, len(dqn.state_dict()) > 0) == (0, 1.0, True)
    assert all(hasattr(dqn, name) for name in ("online", "target", "replay", "load_state_dict"))
    assert dqn.q_values(np.zeros((1, 4), np.float32)).shape == (1, 2)
    assert isinstance(dqn.source.make(), gym.Env)


def test_an_evaluation_answers_names_of_theirs_too():
    found = agents.Evaluation(1.0, 0.0, 1.0, 1.0, 1, [1.0])
    with pytest.raises(AttributeError) as error:
        _ = found.mean_reward
    assert str(error.value) == "Evaluation has no attribute 'mean_reward': it is mean_return"
    assert not hasattr(found, "mean")


def test_other_names_are_missing_as_ever_and_copies_are_made(dqn):
    with pytest.raises(AttributeError, match=r"^'DQN' object has no attribute 'predikt'$"):
        _ = dqn.predikt
    for each in (copy.deepcopy(dqn), pickle.loads(pickle.dumps(dqn))):
        assert each.config == dqn.config


def test_heirs_may_have_what_agents_have_not():
    class Counting(agents.QLearning):
        num_timesteps = property(lambda self: self.steps)

        def __init__(self, env, **options):
            super().__init__(env, **options)
            self.logger = print

    agent = Counting("FrozenLake-v1")
    assert (agent.num_timesteps, agent.logger) == (0, print)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda agent: agent.predict(np.zeros(4), determinstic=True),
            "predict has no argument 'determinstic': did you mean 'deterministic'?",
        ),
        (
            lambda agent: agents.evaluate(agent, n_eval_episodes=3),
            "evaluate has no argument 'n_eval_episodes': did you mean 'episodes'?",
        ),
        (
            lambda agent: agents.evaluate(agent, "CartPole-v1", 3),
            "evaluate takes the rest by name, as in episodes=3",
        ),
    ],
)
def test_a_call_by_other_arguments_says_which_were_meant(dqn, call, message):
    with pytest.raises(TypeError) as error:
        call(dqn)
    assert str(error.value) == message


def test_a_wrong_shape_is_told_as_shapes_are_written(dqn):
    with pytest.raises(ValueError, match=r"expected \(4,\) or \(N, 4\)$"):
        dqn.predict([0, 0, 0])
