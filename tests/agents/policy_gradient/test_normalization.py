"""Statistics of observations and of discounted rewards."""

import numpy as np
import pytest

from agents.policy_gradient.normalization import ObservationNorm, RewardNorm


def test_N_NORM_02_observations_in_standard_deviations():
    rng = np.random.default_rng(0)
    first, second = rng.normal([3.0, -5.0], [2.0, 0.1], size=(2, 500, 2))
    norm = ObservationNorm((2,))
    probe = np.array([[3.0, -5.0], [1e6, -1e6]], np.float32)
    assert norm(probe).tolist() == [[3.0, -5.0], [10.0, -10.0]]  # nothing is known yet
    norm.update(first)
    norm.update(second)
    both = np.concatenate([first, second])
    expected = np.clip((probe - both.mean(0)) / both.std(0), -10, 10)
    np.testing.assert_allclose(norm(probe), expected, rtol=1e-5, atol=1e-6)
    assert norm(probe).dtype == np.float32


def test_rewards_in_deviations_of_discounted_sums():
    rng = np.random.default_rng(0)
    reward, ended = rng.normal(2.0, 3.0, size=(40, 3)), rng.random((40, 3)) < 0.2
    valid = rng.random((40, 3)) < 0.9
    sums = []
    for b in range(3):
        total = 0.0
        for t in range(40):
            total = 0.8 * total + reward[t, b]
            if valid[t, b]:
                sums.append(total)
            if ended[t, b]:
                total = 0.0
    norm, before = RewardNorm(), np.zeros(3)
    for part in (slice(0, 15), slice(15, 40)):  # sums go on from one rollout to the next
        before = norm.update(reward[part], ended[part], valid[part], before, 0.8)
    scaled = norm(np.array([1.0, -2.0, 1e9]))
    np.testing.assert_allclose(scaled, [1 / np.std(sums), -2 / np.std(sums), 10.0], rtol=1e-6)


def test_rewards_keep_their_sign_and_are_untouched_before_anything_is_known():
    assert RewardNorm()(np.array([0.5, -3.0])).tolist() == [0.5, -3.0]
    norm = RewardNorm()
    norm.update(np.ones((5, 1)), np.zeros((5, 1), bool), np.ones((5, 1), bool), np.zeros(1), 0.5)
    assert norm(np.array([1.0]))[0] == pytest.approx(1 / np.std([1, 1.5, 1.75, 1.875, 1.9375]))
