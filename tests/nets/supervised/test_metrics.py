"""Measures of classifiers are scikit-learn's, in every form in which answers and labels come."""

import math

import pytest
import torch
from sklearn import metrics as sklearn

from nets.supervised.metrics import accuracy, balanced_accuracy, f1, precision, recall
from nets.supervised.sampling import one_hot

MEASURES = {
    accuracy: lambda y, z, average: sklearn.accuracy_score(y, z),
    balanced_accuracy: lambda y, z, average: sklearn.recall_score(
        y, z, average="macro", labels=sorted(set(y)), zero_division=0
    ),
    precision: lambda y, z, average: sklearn.precision_score(
        y, z, average=average, zero_division=0
    ),
    recall: lambda y, z, average: sklearn.recall_score(y, z, average=average, zero_division=0),
    f1: lambda y, z, average: sklearn.f1_score(y, z, average=average, zero_division=0),
}


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
@pytest.mark.parametrize("seed", range(4))
def test_measures_of_K_logits_are_scikit_learn_s(measure, seed):
    """Class 5 never occurs, but is named at times; class 0 is rare."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(1, 5, (60,), generator=generator)
    labels[0] = 0
    logits = torch.randn(60, 6, generator=generator) + 2 * one_hot(labels, 6)
    logits[:, 5] -= seed  # so that on some seeds nobody is taken for it
    expected = MEASURES[measure](labels.tolist(), logits.argmax(1).tolist(), "macro")
    assert measure(logits, labels).item() == pytest.approx(expected)
    assert measure(logits, one_hot(labels, 6, smoothing=0.1)).item() == pytest.approx(expected)
    sequence = measure(logits.view(3, 20, 6), labels.view(3, 20))
    assert sequence.item() == pytest.approx(expected)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
@pytest.mark.parametrize("shapes", [((50,), (50,)), ((50, 1), (50, 1)), ((50, 1), (50,))])
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_measures_of_one_logit_are_scikit_learn_s_of_class_1(measure, shapes, dtype):
    logits = torch.randn(50, generator=torch.Generator().manual_seed(0))
    labels = (torch.randn(50, generator=torch.Generator().manual_seed(1)) + logits > 0.3).to(dtype)
    expected = MEASURES[measure](labels.long().tolist(), (logits > 0).long().tolist(), "binary")
    found = measure(logits.view(shapes[0]), labels.view(shapes[1]))
    assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("logits", "labels", "match"),
    [
        (torch.zeros(4, 3), torch.zeros(4, 1, dtype=torch.long), r"integers of shape \(4,\)"),
        (torch.zeros(4, 3), torch.zeros(5, dtype=torch.long), r"shape \(5,\): expected integers"),
        (torch.zeros(4, 3), torch.zeros(4), r"labels are torch\.float32 of shape \(4,\)"),
        (torch.zeros(4, 3), torch.tensor([0, 1, 2, 3]), "range from 0 to 3: expected 0 to 2"),
        (torch.zeros(4, 3), torch.tensor([0, 1, 2, -1]), "range from -1 to 2"),
        (torch.zeros(4, 3), torch.ones(4, 3), "no probabilities of 3 classes"),
        (torch.zeros(4, 1), torch.tensor([0, 1, 1, -1]), "labels contain -1: of one logit a row"),
        (torch.zeros(4), torch.tensor([0.0, 1.0, 0.5, 1.0]), r"labels contain 0\.5"),
        (torch.zeros(4, 1), torch.zeros(3), r"shape \(3,\)"),
    ],
)  # fmt: skip
def test_labels_that_do_not_fit_are_refused(logits, labels, match):
    for measure in MEASURES:
        with pytest.raises(ValueError, match=match):
            measure(logits, labels)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
def test_what_a_sigmoid_has_given_is_warned_of(measure):
    labels = torch.tensor([1, 0, 0, 1])
    with pytest.warns(UserWarning, match="all name class 1: give them from before the sigmoid"):
        measure(torch.tensor([0.9, 0.2, 0.4, 0.7]), labels)
    for logits in ([0.9, -0.2, 0.4, 0.7], [0.9, 2.0, 0.4, 0.7]):
        measure(torch.tensor(logits), labels)


def test_a_measure_of_nothing_is_no_number():
    for measure in MEASURES:
        for shape in ((0, 1), (0, 3)):
            assert measure(torch.zeros(shape), torch.zeros(0, dtype=torch.long)).isnan()


def test_a_measure_of_logits_that_are_not_numbers_is_none():
    logits = torch.tensor([[1.0, 0.0], [math.nan, 0.0]])
    for measure in MEASURES:
        assert measure(logits, torch.tensor([0, 0])).isnan()
