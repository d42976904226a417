"""The four targets that tabular agents move to, by hand and as special cases of each other."""

import numpy as np
import pytest
import torch

from agents.equations import targets
from agents.tabular.targets import (
    double_q_learning_target,
    expected_sarsa_target,
    q_learning_target,
    sarsa_target,
)

A = 3
Q = np.array(
    [0.0, 0.0, 0.0, 1.0, 5.0, 3.0, 0.0, 0.0, 0.0, 2.0, 4.0, 6.0]
)  # two tables of two states
FIRST = 3  # of state 1, in the first table
TARGETS = {
    "sarsa": (lambda r, d: sarsa_target(Q, r, d, FIRST + 2), 1 + 0.9 * 3.0),
    "expected": (
        lambda r, d: expected_sarsa_target(Q, r, d, FIRST, A, 0.4),
        1 + 0.9 * (0.4 * 3.0 + 0.6 * 5.0),
    ),
    "q-learning": (lambda r, d: q_learning_target(Q, r, d, FIRST, A), 1 + 0.9 * 5.0),
    "double": (lambda r, d: double_q_learning_target(Q, r, d, FIRST, A, 6), 1 + 0.9 * 4.0),
    "double, roles swapped": (
        lambda r, d: double_q_learning_target(Q, r, d, FIRST + 6, A, -6),
        1 + 0.9 * 3.0,
    ),
}


@pytest.mark.parametrize(("target", "expected"), TARGETS.values(), ids=TARGETS.keys())
def test_A_TD_02_A_TD_03_targets_by_hand(target, expected) -> None:
    assert target(1.0, 0.9) == pytest.approx(expected)
    assert target(1.0, 0.0) == 1.0  # nothing follows


def random_values() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(50, 4))


@pytest.mark.parametrize("q", random_values())
def test_A_TD_03_expected_sarsa_lies_between_its_two_policies(q: np.ndarray) -> None:
    greedy, uniform = (expected_sarsa_target(q, 1.0, 0.9, 0, 4, epsilon) for epsilon in (0.0, 1.0))
    assert greedy == q_learning_target(q, 1.0, 0.9, 0, 4)
    each = [sarsa_target(q, 1.0, 0.9, action) for action in range(4)]
    assert uniform == pytest.approx(np.mean(each))
    half = expected_sarsa_target(q, 1.0, 0.9, 0, 4, 0.5)
    assert half == pytest.approx((greedy + uniform) / 2)


def test_A_TD_03_targets_on_tables_are_those_on_tensors() -> None:
    one, two = random_values(), random_values()[::-1]
    flat = np.concatenate([one.ravel(), two.ravel()])
    reward, discount = torch.tensor(1.5), torch.tensor(0.9, dtype=torch.float64)
    single = targets.q_learning_target(reward, discount, torch.tensor(one))
    double = targets.double_q_learning_target(
        reward, discount, torch.tensor(two.copy()), torch.tensor(one)
    )
    for state in range(len(one)):
        first = 4 * state
        assert q_learning_target(flat, 1.5, 0.9, first, 4) == single[state]
        assert double_q_learning_target(flat, 1.5, 0.9, first, 4, one.size) == double[state]
