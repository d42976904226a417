import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nets.networks.multitask import MultiTask, multitask_loss


@pytest.fixture
def network():
    torch.manual_seed(0)
    heads = {"class": nn.Linear(5, 3), "value": nn.Linear(5, 1)}
    return MultiTask(nn.Sequential(nn.Linear(4, 5), nn.Tanh()), heads).double()


def losses_of(network, x, classes, values):
    out = network(x)
    return {
        "class": F.cross_entropy(out["class"], classes, reduction="none"),
        "value": (out["value"][:, 0] - values).square(),
    }


def data():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    return x, torch.tensor([0, 1, 2, 0, 1, 2]), x.sum(1)


def test_N_HEAD_06_the_trunks_gradient_is_the_sum_of_the_tasks(network):
    weights = {"class": 0.3, "value": 2.0}
    trunk = list(network.trunk.parameters())
    joint = torch.autograd.grad(multitask_loss(losses_of(network, *data()), weights=weights), trunk)
    parts = [
        torch.autograd.grad(losses_of(network, *data())[task].mean(), trunk) for task in weights
    ]
    for whole, first, second in zip(joint, *parts, strict=True):
        torch.testing.assert_close(whole, 0.3 * first + 2.0 * second)


def test_N_HEAD_06_rows_without_a_label_take_no_part(network):
    x, classes, values = data()
    known = torch.tensor([True, False, True, True, False, False])
    masked = multitask_loss(losses_of(network, x, classes, values), labelled={"class": known})
    losses = losses_of(network, x, classes, values)
    expected = losses["class"][[0, 2, 3]].mean() + losses["value"].mean()
    torch.testing.assert_close(masked, expected)
    trunk = list(network.trunk.parameters())
    (gradient, *_) = torch.autograd.grad(masked, trunk)
    classes[~known] = (classes[~known] + 1) % 3  # other labels there change nothing
    again = multitask_loss(losses_of(network, x, classes, values), labelled={"class": known})
    torch.testing.assert_close(torch.autograd.grad(again, trunk)[0], gradient)


def test_S_MTL_01_a_task_without_any_label_adds_nothing(network):
    losses = losses_of(network, *data())
    none = torch.zeros(6, dtype=torch.bool)
    torch.testing.assert_close(
        multitask_loss(losses, labelled={"value": none}), losses["class"].mean()
    )


def test_unknown_tasks_are_refused():
    with pytest.raises(ValueError, match=r"no task is called 'clas': there are \['class'\]"):
        multitask_loss({"class": torch.zeros(2)}, weights={"clas": 1.0})
