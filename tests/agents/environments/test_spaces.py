"""What people hand to `predict` is cast as what environments return is."""

import gymnasium as gym
import numpy as np
import pytest
import torch

import agents
from agents.environments.spaces import as_rows

VECTOR = gym.spaces.Box(-9, 9, (4,), np.float32)


@pytest.mark.parametrize("members", [[0.0, 1, 2, 3], np.arange(4), torch.arange(4.0).double()])
def test_one_member_in_any_form_is_a_row_of_the_spaces_dtype(members):
    rows, single = as_rows(VECTOR, members)
    assert (single, rows.dtype, rows.tolist()) == (True, np.float32, [[0.0, 1.0, 2.0, 3.0]])
    many, single = as_rows(VECTOR, np.stack([np.asarray(members)] * 3))
    assert (single, many.shape) == (False, (3, 4))


def test_other_shapes_and_broken_numbers_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\) was given: expected \(4,\)"):
        as_rows(VECTOR, np.zeros(3))
    with pytest.raises(ValueError, match=r"shape \(1, 1, 4\)"):
        as_rows(VECTOR, np.zeros((1, 1, 4)))
    with pytest.raises(ValueError, match=r"float64 was given where Box.* has uint8"):
        as_rows(gym.spaces.Box(0, 255, (2,), np.uint8), [0.5, 0.1])


@pytest.mark.parametrize("encoder", ["auto", "lstm"])
def test_agents_predict_from_lists(encoder):
    agent = agents.PPO("CartPole-v1", agents.PPOConfig(encoder=encoder))
    listed, _ = agent.predict([0.0, 0.1, 0.0, 0.2], deterministic=True)
    row, _ = agent.predict(np.array([0.0, 0.1, 0.0, 0.2], np.float32), deterministic=True)
    assert listed == row
