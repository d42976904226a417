"""The actions of worlds in a vector form of their own, against Gymnasium's space of the same."""

import gymnasium as gym
import numpy as np
import pytest

from agents.environments.vectors import Choices, make_vector

SPACE = gym.spaces.MultiDiscrete([2, 3], start=[0, -1])
GIVEN = [
    [0, -1],
    [1, 1],
    [2, 0],
    [0, -2],
    [0, 2],
    [0],
    None,
    np.array([0.0, 1.0]),
    np.array([True, False]),
    np.array([0, 1], np.int8),
    np.array([[0, 1]]),
    np.array([2**63, 0], np.uint64),
    *(np.array(row) for row in ([0, -1], [1, 1], [2, 0], [0, -2], [0, 2])),
]


@pytest.mark.parametrize("given", GIVEN, ids=repr)
def test_members_are_those_of_gymnasiums_space(given):
    assert Choices(SPACE).contains(given) is SPACE.contains(given)


def test_a_vector_form_of_its_own_has_a_space_equal_to_gymnasiums_and_draws_alike():
    env = make_vector(gym.spec("CartPole-v1"), 3)
    theirs, ours = gym.make_vec("CartPole-v1", num_envs=3).action_space, env.action_space
    assert isinstance(ours, Choices)
    assert (ours, repr(ours)) == (theirs, repr(theirs))
    assert theirs == ours
    theirs.seed(1), ours.seed(1)
    np.testing.assert_array_equal(theirs.sample(), ours.sample())
    env.reset(seed=0)
    with pytest.raises(AssertionError):
        env.step(np.array([0, 1, 2]))
