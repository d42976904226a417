"""Spaces survive as plain values, and actions become numbers that networks read."""

import json

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from generative.worlds.spaces import WorldSpec

TWO = spaces.Discrete(2)
SPACES = [
    spaces.Discrete(5, start=-2),
    spaces.Box(0, 255, (4, 5, 1), np.uint8),
    spaces.Box(0.0, 1.0, (3, 7), np.float32),
    spaces.Box(np.array([-1.5, -np.inf], np.float32), np.array([np.inf, 2.0], np.float32)),
    spaces.Box(-3, 9, (2,), np.int64),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_spec_survives_json(space):
    spec = WorldSpec("a:B-v0", space, TWO, {"obs": "board"}, (1, 4))
    again = WorldSpec.restore(json.loads(json.dumps(spec.describe())))
    assert again == spec
    assert again.observation_space.dtype == space.dtype


def test_kinds_of_observations():
    kinds = [WorldSpec("B-v0", space, TWO).kind for space in SPACES]
    assert kinds == ["discrete", "picture", "board", "vector", "vector"]
    taxi = gym.make("CliffWalking-v1")
    assert WorldSpec("B-v0", taxi.observation_space, taxi.action_space).num_states == 48


def test_discrete_actions_are_one_hot_from_their_start():
    spec = WorldSpec("B-v0", TWO, spaces.Discrete(3, start=4))
    expected = [[1.0, 0, 0], [0, 0, 1.0]]
    assert spec.actions(torch.tensor([4, 6])).tolist() == expected


def test_bounded_actions_are_scaled_and_others_kept():
    low, high = np.array([-2, -np.inf], np.float32), np.array([6, np.inf], np.float32)
    spec = WorldSpec("B-v0", TWO, spaces.Box(low, high))
    given = torch.tensor([[-2.0, 5.0], [6.0, -7.0], [2.0, 0.0]])
    assert spec.actions(given).tolist() == [[-1.0, 5.0], [1.0, -7.0], [0.0, 0.0]]


@pytest.mark.parametrize("space", [spaces.Discrete(3, start=1), spaces.Box(-2, 4, (2,))], ids=str)
def test_random_actions_are_members(space):
    actions = WorldSpec("B-v0", TWO, space).random_actions(50).numpy()
    assert all(space.contains(action.astype(space.dtype)[()]) for action in actions)


def test_other_spaces_are_refused():
    with pytest.raises(ValueError, match="observation space of B-v0 is Dict"):
        WorldSpec("B-v0", spaces.Dict({"a": TWO}), TWO)
    with pytest.raises(ValueError, match="action space of B-v0 is MultiBinary"):
        WorldSpec("B-v0", TWO, spaces.MultiBinary(3))
    with pytest.raises(ValueError, match=r"action space of B-v0 is Box.* of no dimension"):
        WorldSpec("B-v0", TWO, spaces.Box(-1, 1, ()))
