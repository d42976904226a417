"""What is drawn: classes brought to one size, rows by priority, folds that share nothing out."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agents.dqn.prioritized import Prioritized, SumTree
from nets.supervised.sampling import class_weights, over_sample, synthetic_sample, under_sample
from nets.supervised.splits import k_fold

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=40).map(torch.tensor)
SEEDS = st.integers(0, 2**31 - 1)


def counts(labels):
    """How often each class that occurs does."""
    return labels.unique(return_counts=True)[1].tolist()


@given(LABELS, SEEDS)
def test_S_DATA_01_under_sampling_keeps_different_rows_as_many_of_each_class(labels, seed):
    rows = under_sample(labels, seed=seed)
    assert len(set(rows.tolist())) == len(rows)
    assert set(rows.tolist()) <= set(range(len(labels)))
    assert counts(labels[rows]) == [min(counts(labels))] * len(labels.unique())


@given(LABELS, SEEDS)
def test_S_DATA_02_over_sampling_loses_no_row_and_repeats_evenly(labels, seed):
    rows = over_sample(labels, seed=seed)
    assert set(rows.tolist()) == set(range(len(labels)))
    assert counts(labels[rows]) == [max(counts(labels))] * len(labels.unique())
    times = rows.bincount(minlength=len(labels))
    for label in labels.unique():
        own = times[labels == label]
        assert own.max() - own.min() <= 1


@given(LABELS, st.integers(1, 6), SEEDS)
def test_S_DATA_03_synthetic_points_stay_in_the_box_of_their_class(labels, neighbours, seed):
    inputs = torch.randn(len(labels), 3, generator=torch.Generator().manual_seed(seed))
    points, names = synthetic_sample(inputs, labels, neighbours=neighbours, seed=seed)
    assert torch.equal(points[: len(labels)], inputs)
    assert torch.equal(names[: len(labels)], labels)
    assert counts(names) == [max(counts(labels))] * len(labels.unique())
    for label in labels.unique():
        own, made = inputs[labels == label], points[names == label]
        assert (made >= own.amin(0) - 1e-6).all()
        assert (made <= own.amax(0) + 1e-6).all()


@given(LABELS)
def test_S_DATA_04_every_class_weighs_the_same(labels):
    weights = class_weights(labels, 5)
    per_class = [weights[k] * (labels == k).sum() for k in labels.unique()]
    torch.testing.assert_close(
        torch.stack(per_class), torch.full((len(per_class),), len(labels) / len(per_class))
    )


@pytest.mark.filterwarnings("ignore:class .* has a single row:UserWarning")
@given(st.lists(st.integers(0, 4), min_size=2, max_size=40).map(torch.tensor), st.data())
def test_S_CV_01_stratified_folds_partition_and_deal_every_class_evenly(labels, data):
    rows = len(labels)
    folds = k_fold(rows, data.draw(st.integers(2, rows)), seed=data.draw(SEEDS), labels=labels)
    assert torch.equal(torch.cat([held for _, held in folds]).sort().values, torch.arange(rows))
    for train, held in folds:
        assert torch.equal(torch.cat([train, held]).sort().values, torch.arange(rows))
    sizes = [len(held) for _, held in folds]
    assert max(sizes) - min(sizes) <= 1
    for label in labels.unique():
        dealt = [(labels[held] == label).sum() for _, held in folds]
        assert max(dealt) - min(dealt) <= 1


# Priorities -------------------------------------------------------------------------------------

PRIORITIES = arrays(np.float64, st.integers(1, 200), elements=st.integers(0, 50))


class SumTrees(RuleBasedStateMachine):
    """A tree beside a plain array: sums and places are the same after any changes."""

    def __init__(self):
        super().__init__()
        self.tree, self.numbers = SumTree(150), np.zeros(150)

    @rule(
        places=st.lists(st.integers(0, 149), min_size=1, max_size=9).map(np.array),
        data=st.data(),
    )
    def write(self, places, data):
        values = data.draw(arrays(np.float64, len(places), elements=st.integers(0, 9)))
        self.tree[places] = values
        for place, value in zip(places, values, strict=True):
            self.numbers[place] = value

    @rule()
    def clear(self):
        self.tree.clear()
        self.numbers[:] = 0

    @invariant()
    def sums_are_those_of_the_array(self):
        assert self.tree.total == self.numbers.sum()
        np.testing.assert_array_equal(self.tree[np.arange(150)], self.numbers)

    @invariant()
    def every_unit_of_mass_leads_to_its_place(self):
        mass = np.arange(self.numbers.sum())
        expected = np.repeat(np.arange(150), self.numbers.astype(int))
        np.testing.assert_array_equal(self.tree.find(mass), expected)


TestSumTrees = SumTrees.TestCase


@given(PRIORITIES.filter(lambda p: p.any()), st.integers(1, 64), SEEDS)
def test_a_minibatch_holds_every_row_as_often_as_its_share_says(priorities, size, seed):
    """One draw from each of B equal parts: B · P(i) draws of place i, give or take two parts."""
    sampler = Prioritized(len(priorities), 1.0)
    sampler.priorities[np.arange(len(priorities))] = priorities
    places, weights = sampler.draw(np.random.default_rng(seed), (3, size), len(priorities), 1.0)
    share = priorities / priorities.sum()
    for row in places:
        drawn = np.bincount(row, minlength=len(priorities))
        assert (np.abs(drawn - size * share) < 2 + 1e-9).all()
        assert not drawn[priorities == 0].any()
    expected = (1 / share[places]) / (1 / share[places]).max(axis=1, keepdims=True)
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=20), st.floats(0, 1), st.floats(0, 1), SEEDS
)
def test_priorities_are_powers_of_errors_and_weights_undo_them(errors, exponent, correction, seed):
    sampler, rows = Prioritized(32, exponent), np.arange(len(errors))
    sampler.add(rows)
    sampler.renew(rows[None], torch.tensor([errors], dtype=torch.float64))
    priority = (np.abs(errors) + 1e-6) ** exponent
    np.testing.assert_allclose(sampler.priorities[rows], priority)
    assert sampler.largest == pytest.approx(max(1.0, priority.max()))
    places, weight = sampler.draw(np.random.default_rng(seed), (2, 7), len(rows), correction)
    assert places.max() < len(rows)
    assert (weight > 0).all()
    np.testing.assert_allclose(weight.max(axis=1), 1.0)
    expected = (priority[places].min(axis=1, keepdims=True) / priority[places]) ** correction
    np.testing.assert_allclose(weight, expected, rtol=1e-5)
