"""KID and Inception score against torch-fidelity's formulas, written out in NumPy."""

import numpy as np
import pytest
import torch

from generative.metrics.inception import inception_score, kernel_distance, polynomial_mmd


def rows(count, size=5, seed=0, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, size, generator=generator) + shift


def mmd_by_hand(x, y):
    """As torch-fidelity's: sums without their diagonals, the mean of all pairs between."""

    def kernel(a, b):
        return (np.dot(a, b) / len(a) + 1.0) ** 3

    n, m = len(x), len(y)
    within_x = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j)
    within_y = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j)
    between = sum(kernel(a, b) for a in x for b in y)
    return within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * between / (n * m)


@pytest.mark.parametrize("counts", [(7, 7), (6, 9)])
def test_the_distance_is_that_of_the_formula(counts):
    x, y = rows(counts[0]), rows(counts[1], seed=1, shift=0.5)
    expected = mmd_by_hand(x.double().numpy(), y.double().numpy())
    assert polynomial_mmd(x, y) == pytest.approx(expected, rel=1e-9)


def test_kid_is_nought_for_one_distribution_and_that_of_all_rows_where_they_are_few():
    same = kernel_distance(rows(3000), rows(3000, seed=1))
    assert abs(same.mean) < 2 * same.std
    shifted = kernel_distance(rows(3000), rows(3000, seed=1, shift=1.0))
    assert shifted.mean > 20 * same.std
    few, fewer = rows(40), rows(40, seed=1, shift=1.0)
    found = kernel_distance(few, fewer)
    assert found.mean == pytest.approx(polynomial_mmd(few, fewer), rel=1e-5)
    assert found.std < 1e-6
    assert kernel_distance(rows(1500), rows(1500, seed=1), seed=1) != kernel_distance(
        rows(1500), rows(1500, seed=1), seed=2
    )


def test_the_score_is_that_of_the_formula():
    """Ten parts of one row each have a score of 1; one part after another is exp of its mean KL."""
    logits = 3 * rows(40, 6)
    p = logits.double().softmax(1).numpy()
    found = []
    for order in (np.arange(40), np.arange(40)[::-1]):
        parts = np.split(p[order], 10)
        kls = [np.mean(np.sum(q * (np.log(q) - np.log(q.mean(0))), axis=1)) for q in parts]
        found.append(np.exp(kls).mean())
    scores = [inception_score(logits, seed=seed).mean for seed in range(20)]
    assert min(scores) < found[0] < max(scores)
    same = inception_score(torch.zeros(40, 6))
    assert (same.mean, same.std) == pytest.approx((1.0, 0.0))
    sure = torch.cat([100 * torch.eye(4)] * 100)
    assert 3.8 < inception_score(sure).mean <= 4.0
    assert inception_score(logits[:10]).mean == pytest.approx(1.0)


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="there are 1 and 5 rows: expected at least 2"):
        polynomial_mmd(rows(1), rows(5))
    with pytest.raises(ValueError, match="there are 9 rows: expected at least 10"):
        inception_score(rows(9))
