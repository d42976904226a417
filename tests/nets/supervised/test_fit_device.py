"""Rows stay where they are, batches go to where the network is."""

import pytest
import torch
from torch import nn

from nets import MLP, optimizer
from nets.networks.multitask import MultiTask
from nets.process.seeding import seeded
from nets.supervised.early_stopping import EarlyStopping
from nets.supervised.fit import FitConfig, evaluate, fit, predict
from nets.supervised.metrics import accuracy, balanced_accuracy


def rows(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 3, generator=generator, dtype=torch.double)
    return x, (x.sum(1) > 0).long()


def build():
    with seeded(0):
        return MLP(3, [8], 2, norm="batch").double()


def train(network, checkpoint=None, epochs=4, **metrics):
    weight = torch.tensor([1.0, 2.0]).to(next(network.parameters()))
    return fit(
        network,
        rows(50),
        loss=nn.CrossEntropyLoss(weight),
        optimizer=optimizer("adamw", network, lr=0.05, weight_decay=0.01),
        config=FitConfig(epochs=epochs, batch_size=20, max_grad_norm=1.0),
        validation=rows(30, 1),
        metrics={"accuracy": accuracy, **metrics},
        early_stopping=EarlyStopping("validation_loss", patience=9, restore_best_weights=True),
        checkpoint=checkpoint,
    )


def test_S_TR_02_nothing_but_numbers_to_read_leaves_the_network_s_device(monkeypatch):
    """The meta device refuses every operation with a tensor of the CPU."""
    monkeypatch.setattr(torch.Tensor, "item", lambda self: 0.5)
    monkeypatch.setattr(torch.Tensor, "__float__", lambda self: 0.5)
    network, seen = build().to("meta"), []
    network.register_forward_hook(lambda m, x, y: seen.append((x[0].device.type, len(y))))
    history = train(network, epochs=2)
    assert [row["loss"] for row in history] == [0.5 / 50] * 2
    training, validation = [17, 17, 16], [30]
    assert seen == [("meta", count) for count in 2 * (training + validation)]


@pytest.mark.cuda
def test_S_TR_01_on_cuda_training_is_that_of_the_cpu(tmp_path):
    here, there = build(), build().cuda()
    balance = {"balanced": balanced_accuracy}  # counts, which meta tensors cannot
    first, second = train(here, **balance), train(there, tmp_path / "fit.pt", **balance)
    assert [row.keys() for row in first] == [row.keys() for row in second]
    for row, other in zip(first, second, strict=True):
        assert row == pytest.approx(other, rel=1e-6)
    for name, weight in there.state_dict().items():
        assert weight.is_cuda
        torch.testing.assert_close(weight.cpu(), here.state_dict()[name])
    # gone on with from its file, on the GPU again
    again = build().cuda()
    assert train(again, tmp_path / "fit.pt", epochs=6, **balance)[:4] == second
    assert all(weight.is_cuda for weight in again.state_dict().values())


@pytest.mark.cuda
def test_S_MTL_01_several_heads_are_predicted_on_cuda():
    network = MultiTask(nn.Linear(3, 4), {"a": nn.Linear(4, 2), "b": nn.Linear(4, 1)}).cuda()
    outputs = predict(network, torch.randn(7, 3), batch_size=3)
    assert {name: tuple(y.shape) for name, y in outputs.items()} == {"a": (7, 2), "b": (7, 1)}
    assert all(y.is_cuda for y in outputs.values())
    single = nn.Linear(3, 2).cuda()
    x, y = torch.randn(9, 3), torch.arange(9) % 2
    assert evaluate(single, (x, y), {"accuracy": accuracy}) == evaluate(
        single.cpu(), (x, y), {"accuracy": accuracy}
    )
