"""Losses and rows that do not suit each other, told before a step is taken."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nets.supervised.fit import FitConfig, evaluate, fit

INPUTS = torch.linspace(-1.0, 1.0, 12).reshape(12, 1)
FLAT, UPRIGHT = torch.linspace(0.0, 1.0, 12), torch.linspace(0.0, 1.0, 12).reshape(12, 1)
CLASSES = torch.arange(12) % 3


def train(outputs: int, targets: Tensor, loss) -> list[dict[str, float]]:
    network = nn.Linear(1, outputs)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    return fit(network, (INPUTS, targets), loss=loss, optimizer=optimizer, config=FitConfig(1))


@pytest.mark.parametrize(
    ("outputs", "targets", "loss", "said"),
    [
        (1, FLAT, nn.MSELoss(), r"MSELoss cannot take outputs float32 \[12, 1\] and .* \[12\]"),
        (1, FLAT, lambda y, t: functional.l1_loss(y, t), "of the shape of the outputs"),
        (3, CLASSES + 1, nn.CrossEntropyLoss(), r"int64 \[12\] from 1 to 3: .* from 0 to C - 1"),
        (3, CLASSES[:, None], nn.CrossEntropyLoss(), r"int64 \[12, 1\] from 0 to 2"),
        (3, FLAT, functional.cross_entropy, "cross_entropy cannot take .* expected labels, int64"),
        (1, FLAT, nn.BCEWithLogitsLoss(), "BCEWithLogitsLoss .* floats from 0 to 1"),
        (1, UPRIGHT, nn.MSELoss(reduction="none"), r"shape \[12, 1\]: expected one number"),
    ],
)
def test_what_a_loss_cannot_take_is_told_with_what_it_can(outputs, targets, loss, said):
    with pytest.raises(ValueError, match=said):
        train(outputs, targets, loss)


def test_a_loss_that_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match=r"the loss is 3\.0: expected a tensor"):
        train(1, UPRIGHT, lambda y, t: 3.0)


def test_a_measure_of_all_rows_is_held_to_the_same():
    rows = INPUTS, FLAT
    with pytest.raises(ValueError, match="MSELoss cannot take"):
        evaluate(nn.Linear(1, 1), rows, {"error": nn.MSELoss()})


def test_an_own_loss_may_make_rows_suit_and_its_own_errors_are_its_own():
    assert train(1, FLAT, lambda y, t: functional.mse_loss(y[:, 0], t))
    with pytest.raises(RuntimeError, match="as it says itself"):
        train(1, FLAT, own_error)


def own_error(outputs: Tensor, targets: Tensor) -> Tensor:
    raise RuntimeError("as it says itself")
