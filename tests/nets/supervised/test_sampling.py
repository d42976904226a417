import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

from nets.supervised.metrics import accuracy, balanced_accuracy, satisficing
from nets.supervised.sampling import (
    class_weights,
    label_counts,
    one_hot,
    over_sample,
    synthetic_sample,
    under_sample,
)
from nets.supervised.splits import hold_out

ORDER = torch.randperm(21, generator=torch.Generator().manual_seed(5))
LABELS = torch.tensor([0] * 12 + [1] * 3 + [3] * 6)[ORDER]


def counts(labels):
    return labels.bincount(minlength=4).tolist()


def test_S_DATA_01_under_sampling_drops_rows_of_the_majority():
    rows = under_sample(LABELS, seed=1)
    assert counts(LABELS[rows]) == [3, 3, 0, 3]
    assert len(set(rows.tolist())) == 9
    assert torch.equal(rows, under_sample(LABELS, seed=1))
    assert not torch.equal(rows, under_sample(LABELS, seed=2))


def test_S_DATA_02_over_sampling_repeats_rows_of_the_minority_evenly():
    rows = over_sample(LABELS, seed=1)
    assert counts(LABELS[rows]) == [12, 12, 0, 12]
    times = rows.bincount(minlength=21)
    assert [sorted(set(times[c == LABELS].tolist())) for c in (0, 1, 3)] == [[1], [4], [2]]


def test_S_DATA_02_repeated_rows_stay_on_their_side_of_a_split():
    train, held = hold_out(21, 0.3, labels=LABELS)
    repeated = train[over_sample(LABELS[train])]
    assert len(repeated) > len(train)
    assert not set(repeated.tolist()) & set(held.tolist())


@pytest.mark.parametrize("neighbours", [1, 5])
def test_S_DATA_03_synthetic_points_lie_between_neighbours_of_their_class(neighbours):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(21, 2, generator=generator) + 10 * LABELS[:, None]
    inputs, labels = synthetic_sample(x, LABELS, neighbours=neighbours, seed=3)
    assert torch.equal(inputs[:21], x)
    assert torch.equal(labels[:21], LABELS)
    assert counts(labels) == [12, 12, 0, 12]
    for point, label in zip(inputs[21:], labels[21:], strict=True):
        own = x[label == LABELS]
        between = []
        for i, start in enumerate(own):
            distance = (own - start).norm(dim=1)
            distance[i] = torch.inf
            for end in own[distance.argsort()[:neighbours][: len(own) - 1]]:
                u = (point - start) @ (end - start) / (end - start).square().sum()
                off = (point - start - u * (end - start)).norm()
                between.append(bool(off < 1e-4 and -1e-5 <= u <= 1 + 1e-5))
        assert any(between)
    assert len(torch.unique(inputs[21:], dim=0)) == 15  # all new
    again, _ = synthetic_sample(x, LABELS, neighbours=neighbours, seed=3)
    assert torch.equal(inputs, again)


def test_S_DATA_03_a_class_of_one_row_is_repeated_and_whole_numbers_are_refused():
    inputs, labels = synthetic_sample(torch.tensor([[0.0], [1.0], [5.0]]), torch.tensor([0, 0, 1]))
    assert inputs.flatten().tolist() == [0.0, 1.0, 5.0, 5.0]
    assert labels.tolist() == [0, 0, 1, 1]
    with pytest.raises(TypeError, match=r"inputs are torch\.uint8"):
        synthetic_sample(torch.zeros(3, 2, dtype=torch.uint8), torch.tensor([0, 0, 1]))


def test_S_DATA_04_weights_are_those_of_scikit_learn():
    theirs = compute_class_weight("balanced", classes=np.array([0, 1, 3]), y=LABELS.numpy())
    expected = [theirs[0], theirs[1], 0.0, theirs[2]]
    weights = class_weights(LABELS, 4)
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    assert weights[LABELS].mean().item() == pytest.approx(1.0)


def test_S_DATA_04_a_weighted_loss_is_that_of_over_sampled_rows():
    logits = torch.randn(21, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows = over_sample(LABELS)  # counts 12, 3, 6: every row the same number of times
    weighted = nn.CrossEntropyLoss(weight=class_weights(LABELS, 4).double())
    repeated = F.cross_entropy(logits[rows], LABELS[rows])
    torch.testing.assert_close(weighted(logits, LABELS), repeated)
    assert not torch.isclose(F.cross_entropy(logits, LABELS), repeated)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_S_DATA_06_one_hot_and_counts_round_trip(labels):
    tensor = torch.tensor(labels)
    encoded = one_hot(tensor, 7)
    assert torch.equal(encoded, torch.eye(7)[tensor])
    assert torch.equal(encoded.argmax(-1), tensor)
    values, numbers = np.unique(labels, return_counts=True)
    found = label_counts(tensor, 7)
    assert {k: int(n) for k, n in enumerate(found) if n} == dict(zip(values, numbers, strict=True))
    assert torch.equal(encoded.sum(0).long(), found)


def test_S_DATA_06_smoothed_labels_give_torch_s_smoothed_loss():
    logits, labels = torch.randn(5, 4), torch.tensor([0, 3, 1, 1, 2])
    smooth = one_hot(labels, 4, smoothing=0.1)
    torch.testing.assert_close(smooth.sum(-1), torch.ones(5))
    assert torch.equal(smooth.argmax(-1), labels)
    expected = nn.CrossEntropyLoss(label_smoothing=0.1)(logits, labels)
    torch.testing.assert_close(F.cross_entropy(logits, smooth), expected)
    with pytest.raises(ValueError, match=r"smoothing must be in \[0, 1\), got 1"):
        one_hot(labels, 4, smoothing=1)


def test_S_DATA_06_flattening_keeps_rows_and_the_order_within_them():
    pictures = torch.arange(24).view(2, 3, 2, 2)
    flat = nn.Flatten()(pictures)
    assert flat.shape == (2, 12)
    assert flat[1].tolist() == list(range(12, 24))


@pytest.mark.parametrize("sample", [under_sample, over_sample])
def test_no_labels_is_an_error(sample):
    with pytest.raises(ValueError, match=r"labels have shape \(0,\)"):
        sample(torch.zeros(0, dtype=torch.long))


def test_balanced_accuracy_is_scikit_learn_s_and_sees_through_the_majority():
    logits = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0] * 30 + [1] * 8 + [2] * 2)
    chosen = logits.argmax(-1)
    assert accuracy(logits, labels).item() == pytest.approx((chosen == labels).float().mean())
    expected = balanced_accuracy_score(labels.numpy(), chosen.numpy())
    assert balanced_accuracy(logits, labels).item() == pytest.approx(expected)
    majority = torch.tensor([[1.0, 0.0, 0.0]]).expand(40, 3)
    assert accuracy(majority, labels).item() == 0.75
    assert balanced_accuracy(majority, labels).item() == pytest.approx(1 / 3)


MODELS = [
    {"accuracy": 0.90, "ms": 80.0, "f1": 0.7},
    {"accuracy": 0.92, "ms": 95.0, "f1": 0.6},
    {"accuracy": 0.95, "ms": 1500.0, "f1": 0.9},
]


def test_S_MET_01_one_metric_is_optimised_among_those_that_satisfy():
    assert satisficing(MODELS, "accuracy") == 2
    assert satisficing(MODELS, "accuracy", at_most={"ms": 100.0}) == 1
    assert satisficing(MODELS, "accuracy", at_most={"ms": 95.0}) == 1  # the threshold itself
    assert satisficing(MODELS, "accuracy", at_most={"ms": 100.0}, at_least={"f1": 0.65}) == 0
    assert satisficing(MODELS, "ms", mode="min", at_least={"accuracy": 0.91}) == 1
    assert satisficing([*MODELS, {"accuracy": float("nan"), "ms": 1.0}], "accuracy") == 2


def test_S_MET_01_an_infeasible_set_says_how_far_it_is_off():
    with pytest.raises(ValueError, match=r"ms is 80 at best, expected at most 50"):
        satisficing(MODELS, "accuracy", at_most={"ms": 50.0})
    with pytest.raises(ValueError, match=r"f1 is 0\.9 at best, expected at least 0\.99"):
        satisficing(MODELS, "accuracy", at_least={"f1": 0.99})
    with pytest.raises(ValueError, match="none of 0 candidates"):
        satisficing([], "accuracy")
