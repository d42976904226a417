"""The interquartile mean and its bootstrap intervals, against SciPy, enumeration and coverage."""

from itertools import product

import numpy as np
import pytest
import scipy.stats

from agents.outcomes.statistics import bootstrap_interval, interquartile_mean


@pytest.mark.parametrize("runs", range(1, 13))
def test_interquartile_mean_is_scipys_trimmed_mean(runs):
    scores = np.random.default_rng(runs).normal(size=(3, 4, runs))
    expected = scipy.stats.trim_mean(scores, 0.25, axis=-1)
    np.testing.assert_allclose(interquartile_mean(scores), expected, rtol=1e-14)


def test_interquartile_mean_leaves_out_the_outer_quarters():
    assert interquartile_mean(np.array([100.0, 0.0, 2.0, 1.0])) == 1.5
    assert interquartile_mean(np.array([-1e9, 4.0, 5.0, 3.0, 1e9])) == 4.0
    assert interquartile_mean(np.array([1.0, 2.0, 6.0])) == 3.0  # too few to leave any out


def test_no_runs_are_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 0\): expected at least one run"):
        interquartile_mean(np.empty((2, 0)))


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_impossible_levels_are_refused(level):
    with pytest.raises(ValueError, match=f"level is {level}"):
        bootstrap_interval(np.arange(3.0), level=level)


def test_interval_holds_the_middle_of_all_possible_resamples():
    scores = np.array([0.0, 1.0, 4.0, 9.0, 30.0])
    every = [
        scipy.stats.trim_mean(scores[list(index)], 0.25) for index in product(range(5), repeat=5)
    ]
    low, high = bootstrap_interval(scores, level=0.9, resamples=50_000)
    every = np.array(every)  # the exact bootstrap distribution, 3125 equally likely figures
    error = 4 * np.sqrt(0.05 * 0.95 / 50_000)
    for end, share in ((low, 0.05), (high, 0.95)):
        below, up_to = (every < end - 1e-9).mean(), (every <= end + 1e-9).mean()
        assert below - error <= share <= up_to + error
    assert low < high


def test_interval_is_near_scipys():
    scores = np.random.default_rng(3).exponential(size=40)
    theirs = scipy.stats.bootstrap(
        (scores,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    ours = bootstrap_interval(scores, statistic=lambda x: x.mean(-1), resamples=20_000)
    np.testing.assert_allclose(ours, theirs, atol=0.02 * scores.std())


def test_ninety_five_percent_of_the_intervals_hold_the_truth():
    rng, trials = np.random.default_rng(0), 600
    held = 0
    for trial in range(trials):
        scores = rng.normal(7.0, 2.0, size=80)  # symmetric: the interquartile mean is 7 too
        low, high = bootstrap_interval(scores, resamples=400, seed=trial)
        held += low <= 7.0 <= high
    error = np.sqrt(0.95 * 0.05 / trials)
    assert abs(held / trials - 0.95) < 3 * error


def test_strata_are_drawn_within_themselves():
    easy, hard = np.full(3, 10.0), np.zeros(3)
    mean = bootstrap_interval(easy, hard, statistic=lambda x: x.mean(-1), resamples=200)
    assert mean == (5.0, 5.0)  # drawn from the pool, they would spread from 0 to 10
    low, high = bootstrap_interval(np.append(easy, hard), statistic=lambda x: x.mean(-1))
    assert low < 2.0
    assert high > 8.0


def test_curves_are_drawn_whole():
    curve = np.random.default_rng(0).normal(size=6)
    mirrored = np.stack([curve, -curve])  # [T, N]: every run sums to 0
    low, high = bootstrap_interval(mirrored, statistic=lambda x: x.mean(axis=-1))
    np.testing.assert_allclose(low, -high[::-1], rtol=1e-12)  # moments drawn apart would differ
    low, high = bootstrap_interval(mirrored)
    assert low.shape == high.shape == (2,)
    np.testing.assert_allclose((low[0], high[0]), bootstrap_interval(curve))
    assert low[0] < interquartile_mean(curve) < high[0]


def test_equal_scores_have_equal_intervals():
    scores = np.array([1.0, 5.0, 2.0, 8.0])
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - that it is left alone is the point
    assert bootstrap_interval(scores) == bootstrap_interval(scores)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert bootstrap_interval(scores, resamples=50) != bootstrap_interval(
        scores, resamples=50, seed=1
    )


def test_a_single_run_has_no_width():
    assert bootstrap_interval(np.array([3.0])) == (3.0, 3.0)
