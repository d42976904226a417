"""Rewards as a choice among values."""

import pytest
import torch

from generative.worlds.rewards import POINTS, RewardValues, reward_values


def test_few_values_are_kept_and_many_replaced_by_points_between_the_extremes():
    assert reward_values(torch.tensor([0.0, 1.0, 0.0, -1.0])) == ([-1.0, 0.0, 1.0], True)
    values, exact = reward_values(torch.linspace(-16, 0.5, 200))
    assert not exact
    assert len(values) == POINTS
    assert values == sorted(values)
    assert values[0] == pytest.approx(-16, rel=1e-5)
    assert values[-1] == pytest.approx(0.5, rel=1e-5)


def test_the_mean_of_a_two_hot_code_is_the_reward():
    values, _ = reward_values(torch.linspace(-16, 0.5, 200))
    rewards = RewardValues(values, False)
    given = torch.tensor([[-16.0, -3.21, 0.0], [0.1, 0.5, -15.99]])
    code = rewards.two_hot(given)
    torch.testing.assert_close((code * rewards.values).sum(-1), given, rtol=1e-4, atol=1e-5)
    assert (code >= 0).all()
    torch.testing.assert_close(code.sum(-1), torch.ones_like(given))
    assert ((code > 0).sum(-1) <= 2).all()


def test_a_value_that_was_seen_is_one_class():
    rewards = RewardValues([-1.0, 0.0, 1.0], True)
    assert rewards.two_hot(torch.tensor([1.0, -1.0, 0.0])).tolist() == [
        [0, 0, 1],
        [1, 0, 0],
        [0, 1, 0],
    ]
    logits = torch.tensor([[0.0, 1.0, 2.0]])
    expected = -logits.log_softmax(-1)[0, 2]
    assert torch.isclose(rewards.loss(logits, torch.tensor([1.0])), expected)
    assert RewardValues([2.0], True).two_hot(torch.tensor([2.0])).tolist() == [[1.0]]


def test_drawn_rewards():
    logits = torch.tensor([[0.5, 0.25, 0.25]]).log().expand(4, -1)
    u = torch.tensor([0.0, 0.49, 0.6, 0.9])
    assert RewardValues([1.0, 2.0, 3.0], True).draw(logits, u).tolist() == [1, 1, 2, 3]
    mean = RewardValues([1.0, 2.0, 3.0], False).draw(logits, u)
    assert mean.tolist() == pytest.approx([1.75] * 4)
