import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, StratifiedKFold

from nets.supervised.splits import cross_validate, hold_out, k_fold, training_dev


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 60), st.data())
def test_S_CV_01_folds_partition_the_rows_in_sizes_of_KFold(rows, data):
    k = data.draw(st.integers(2, rows))
    folds = k_fold(rows, k, seed=data.draw(st.integers(0, 9)))
    held = torch.cat([fold for _, fold in folds])
    assert sorted(held.tolist()) == list(range(rows))
    for train, fold in folds:
        assert sorted([*train.tolist(), *fold.tolist()]) == list(range(rows))
    reference = [len(fold) for _, fold in KFold(k).split(np.zeros(rows))]
    assert [len(fold) for _, fold in folds] == reference


def test_S_CV_01_stratified_folds_hold_what_scikit_learn_s_do():
    labels = torch.tensor([0] * 23 + [1] * 10 + [2] * 7)[torch.randperm(40)]
    folds = k_fold(40, 4, labels=labels)
    ours = [np.bincount(labels[fold], minlength=3) for _, fold in folds]
    pairs = StratifiedKFold(4, shuffle=True, random_state=0).split(np.zeros(40), labels.numpy())
    theirs = [np.bincount(labels[fold], minlength=3) for _, fold in pairs]
    for c in range(3):
        assert sorted(count[c] for count in ours) == sorted(count[c] for count in theirs)


def test_S_CV_01_folds_depend_on_the_seed_alone():
    first, again, other = (k_fold(20, 4, seed=seed)[0][1].tolist() for seed in (3, 3, 4))
    assert first == again != other
    assert first != list(range(5))  # nor is it the first fifth, unshuffled


def test_S_CV_01_each_fold_trains_a_new_model_from_the_same_weights():
    built = []

    def score(train, held):
        built.append(torch.nn.Linear(2, 1).weight.detach().clone())
        return float(len(held))

    before = torch.get_rng_state()
    result = cross_validate(score, k_fold(11, 3))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(weight, built[0]) for weight in built)
    assert len({weight.data_ptr() for weight in built}) == 3
    assert result.scores == (4.0, 4.0, 3.0)
    assert result.mean == pytest.approx(11 / 3)
    assert result.standard_error == pytest.approx(np.std([4, 4, 3], ddof=1) / math.sqrt(3))


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 80), st.floats(0.05, 0.9), st.integers(0, 5))
def test_S_CV_02_held_out_rows_are_nobody_else_s(rows, share, seed):
    if round(share * rows) >= rows:
        return
    train, held = hold_out(rows, share, seed=seed)
    assert sorted(torch.cat([train, held]).tolist()) == list(range(rows))
    assert len(held) == max(round(share * rows), 1)
    again = hold_out(rows, share, seed=seed)
    assert torch.equal(held, again[1])


def test_S_CV_02_a_hold_out_is_random_and_can_keep_proportions():
    chosen = [hold_out(30, 0.2, seed=seed)[1].tolist() for seed in range(4)]
    assert len(set(map(tuple, chosen))) == 4
    labels = torch.tensor([0] * 90 + [1] * 10)
    for seed in range(5):
        _, held = hold_out(100, 0.2, seed=seed, labels=labels)
        assert labels[held].bincount().tolist() == [18, 2]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=3, max_size=40), st.floats(0.05, 0.95), st.integers(0, 5)
)
def test_a_row_of_each_class_is_left_to_train_on(labels, share, seed):
    labels, held_rows = torch.tensor(labels), max(round(share * len(labels)), 1)
    if len(labels) - held_rows < len(labels.unique()):
        with pytest.raises(ValueError, match=r"cannot (leave a row of each of|hold out a share)"):
            hold_out(len(labels), share, seed=seed, labels=labels)
        return
    train, held = hold_out(len(labels), share, seed=seed, labels=labels)
    assert len(held) == held_rows
    assert sorted([*train.tolist(), *held.tolist()]) == list(range(len(labels)))
    assert set(labels[train].tolist()) == set(labels.tolist())


def test_numbers_that_are_no_classes_are_held_out_evenly():
    """Of ten sorted numbers and two held out, each half has one."""
    train, held = hold_out(10, 0.2, labels=torch.arange(10.0))
    assert len(train) == 8
    assert [value // 5 for value in held.tolist()] == [0, 1]


def test_classes_may_be_written_as_floats():
    """As the targets of one logit are; the only row of a class is in the middle of ten."""
    for labels in ([0.0] * 7 + [1.0] + [2.0] * 2, [-1.0] * 9 + [1.0]):
        labels = torch.tensor(labels)
        parts = [hold_out(10, 0.2, seed=seed, labels=labels) for seed in range(20)]
        assert all(set(labels[train].tolist()) == set(labels.tolist()) for train, _ in parts)


def test_folds_warn_of_a_class_that_one_of_them_cannot_learn():
    with pytest.warns(UserWarning, match="class 7 has a single row: in one of 2 folds nothing is"):
        k_fold(5, 2, labels=torch.tensor([0, 0, 0, 0, 7]))
    with pytest.warns(UserWarning, match="class 1.0 has a single row"):
        k_fold(5, 2, labels=torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0]))


def test_S_DIAG_04_the_training_dev_set_comes_from_the_training_distribution():
    split = training_dev(100, 40, share=0.1, test_share=0.25, seed=1)
    assert sorted(torch.cat([split.train, split.train_dev]).tolist()) == list(range(100))
    assert sorted(torch.cat([split.dev, split.test]).tolist()) == list(range(40))
    assert [len(split.train_dev), len(split.dev), len(split.test)] == [10, 30, 10]


@pytest.mark.parametrize("share", [0.0, 1.0, 0.99, -0.1, float("nan"), float("inf")])
def test_an_empty_part_is_refused(share):
    with pytest.raises(ValueError, match="cannot hold out a share"):
        hold_out(10, share)


@pytest.mark.parametrize("k", [0, 1, 11])
def test_folds_that_cannot_be_are_refused(k):
    with pytest.raises(ValueError, match=f"k is {k}: expected 2 to 10"):
        k_fold(10, k)


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"labels have shape \(9,\), expected \(10,\)"):
        k_fold(10, 2, labels=torch.zeros(9, dtype=torch.long))
    unknown = torch.tensor([0.0, 1.0, torch.nan, 1.0])
    for split in (lambda: hold_out(4, 0.5, labels=unknown), lambda: k_fold(4, 2, labels=unknown)):
        with pytest.raises(ValueError, match="the label of row 2 is NaN"):
            split()
