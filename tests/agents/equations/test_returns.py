"""Returns on `[T, B]`, against arrays worked out by hand, sums written out, and each other."""

import numpy as np
import pytest
import torch

from agents.equations.returns import discounted_returns, generalized_advantages, lambda_returns


def experience(seed=0, steps=7, copies=3, discount=0.9):
    """Random rows with episodes that terminate, are truncated, or go on at the end."""
    rng = np.random.default_rng(seed)
    reward, v_tm1, v_t = rng.normal(size=(3, steps, copies))
    terminated = rng.random((steps, copies)) < 0.2
    truncated = (rng.random((steps, copies)) < 0.2) & ~terminated
    v_t[:-1] = np.where((terminated | truncated)[:-1], v_t[:-1], v_tm1[1:])
    return tuple(
        map(torch.tensor, (reward, discount * ~terminated, v_tm1, v_t))
    ), terminated | truncated


def test_A_CORE_02_returns_by_hand():
    reward = torch.tensor([[1.0, 0.0], [2.0, 0.0], [4.0, 8.0]])
    discount = torch.tensor([[0.5, 0.5], [0.0, 0.5], [0.5, 0.5]])
    found = discounted_returns(reward, discount, torch.tensor([16.0, -16.0]))
    # column 0 terminates after its second step: 1 + ½·2, 2, 4 + ½·16
    assert found.tolist() == [[2.0, 0.0], [2.0, 0.0], [12.0, 0.0]]


def test_A_CORE_02_recursion_is_the_direct_sum():
    (reward, discount, _, v_t), _ = experience(steps=20)
    found = discounted_returns(reward, discount, v_t[-1])
    for t in range(20):
        total, factor = torch.zeros(3, dtype=torch.double), torch.ones(3, dtype=torch.double)
        for k in range(t, 20):
            total += factor * reward[k]
            factor *= discount[k]
        torch.testing.assert_close(found[t], total + factor * v_t[-1])


def test_lambda_returns_and_advantages_by_hand():
    """γ = ½, λ = ½: rewards 1, 2; values 4, 8 of the states, then 16 after the last step."""
    reward, discount = torch.tensor([1.0, 2.0]), torch.tensor([0.5, 0.5])
    before, after = torch.tensor([4.0, 8.0]), torch.tensor([8.0, 16.0])
    # G₁ = 2 + ½·16 = 10; G₀ = 1 + ½·(½·8 + ½·10) = 5.5
    assert lambda_returns(reward, discount, after, 0.5).tolist() == [5.5, 10.0]
    # δ₀ = 1 + 4 − 4 = 1, δ₁ = 2 + 8 − 8 = 2; A₀ = 1 + ¼·2
    assert generalized_advantages(reward, discount, before, after, 0.5).tolist() == [1.5, 2.0]


def test_advantages_without_lambda_are_temporal_difference_errors():
    (reward, discount, v_tm1, v_t), _ = experience()
    found = generalized_advantages(reward, discount, v_tm1, v_t, 0.0)
    torch.testing.assert_close(found, reward + discount * v_t - v_tm1)


def test_advantages_with_lambda_one_are_returns_minus_values():
    (reward, discount, v_tm1, v_t), ended = experience()
    kept = torch.tensor(~ended).double()
    found = generalized_advantages(reward, discount, v_tm1, v_t, kept)
    for b in range(3):
        following = v_t[-1, b]
        for t in reversed(range(7)):
            following = v_t[t, b] if ended[t, b] else following
            following = reward[t, b] + discount[t, b] * following
            torch.testing.assert_close(found[t, b], following - v_tm1[t, b])


@pytest.mark.parametrize("lambda_", [0.0, 0.3, 0.95, 1.0])
def test_advantages_are_lambda_returns_minus_values(lambda_):
    (reward, discount, v_tm1, v_t), ended = experience()
    lambda_t = lambda_ * torch.tensor(~ended)
    found = generalized_advantages(reward, discount, v_tm1, v_t, lambda_t)
    torch.testing.assert_close(found + v_tm1, lambda_returns(reward, discount, v_t, lambda_t))


@pytest.mark.parametrize("lambda_", [0.0, 0.3, 0.95, 1.0])
def test_lambda_returns_mix_all_n_step_returns(lambda_):
    """Gᵡ = (1 − λ) Σₙ λⁿ⁻¹ G⁽ⁿ⁾ + λᵀ⁻ᵗ⁻¹ G⁽ᵀ⁻ᵗ⁾ (Sutton & Barto, 12.3)."""
    (reward, discount, _, v_t), _ = experience(steps=6)
    found = lambda_returns(reward, discount, v_t, lambda_)
    for t in range(6):
        span = 6 - t
        n_step = [  # values n steps on, n = 1, ..., T − t
            discounted_returns(reward[t : t + n], discount[t : t + n], v_t[t + n - 1])[0]
            for n in range(1, span + 1)
        ]
        weights = [(1 - lambda_) * lambda_**n for n in range(span - 1)] + [lambda_ ** (span - 1)]
        mixture = sum(w * g for w, g in zip(weights, n_step, strict=True))
        torch.testing.assert_close(found[t], mixture)


def test_termination_forgets_the_value_and_truncation_keeps_it():
    """One reward of 1 at the end of an episode, followed by another episode worth 1000."""
    reward, v_t = torch.tensor([1.0, 1000.0]), torch.tensor([10.0, 0.0])
    cut = torch.tensor([0.0, 1.0])
    terminated = lambda_returns(reward, torch.tensor([0.0, 0.5]), v_t, cut)
    truncated = lambda_returns(reward, torch.tensor([0.5, 0.5]), v_t, cut)
    assert terminated.tolist() == [1.0, 1000.0]
    assert truncated.tolist() == [6.0, 1000.0]


def test_a_constant_reward_without_end_is_worth_its_geometric_series():
    """Cut every 10 steps by a time limit, r = 1, γ = 0.9: the value is 10 = 1/(1 − γ) everywhere.

    Taking the time limit for an end gives less: the negative control.
    """
    steps, gamma = 40, 0.9
    ended = torch.arange(1, steps + 1) % 10 == 0
    reward, value = torch.ones(steps).double(), torch.full((steps,), 10.0).double()
    cut = 0.95 * (~ended).double()
    right = lambda_returns(reward, torch.full_like(reward, gamma), value, cut)
    torch.testing.assert_close(right, value)
    wrong = lambda_returns(reward, gamma * (~ended).double(), value, cut)
    assert (wrong < 10.0 - 0.9).any()
    assert wrong[9] == 1.0
