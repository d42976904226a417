import math

import pytest
import torch
from torch import nn

from nets import MLP, optimizer, penalty, schedule
from nets.networks.multitask import MultiTask, multitask_loss
from nets.process.seeding import seeded
from nets.runs.checkpoint import CheckpointError, load_checkpoint
from nets.runs.divergence import Diverged, find_not_finite
from nets.supervised.early_stopping import EarlyStopping
from nets.supervised.fit import FitConfig, evaluate, fit, predict
from nets.supervised.metrics import accuracy
from nets.supervised.splits import hold_out

XOR = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def blobs(rows=60, seed=0):
    """Two classes that overlap a little."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(rows) % 2
    return torch.randn(rows, 3, generator=generator) + labels[:, None] * 1.5, labels


def build(seed=0, **settings):
    with seeded(seed):
        return MLP(3, [8], 2, **settings)


def same(first, second):
    pairs = zip(first.state_dict().items(), second.state_dict().values(), strict=True)
    return all(torch.equal(value, other) for (_, value), other in pairs)


def test_S_TR_01_the_stop_test_comes_before_the_update():
    rows, criterion = blobs(), nn.CrossEntropyLoss()
    network, reference = build(), build()
    config = FitConfig(epochs=200, batch_size=60, stop_below=0.4)
    history = fit(network, rows, loss=criterion, optimizer=optimizer("sgd", network, lr=0.5),
                  config=config)  # fmt: skip
    # plain gradient descent, written out: forward, loss, stop test, backward, update
    epochs = 0
    while True:
        epochs += 1
        loss = criterion(reference(rows[0]), rows[1])
        if loss <= 0.4:
            break
        gradients = torch.autograd.grad(loss, list(reference.parameters()))
        with torch.no_grad():
            for weight, gradient in zip(reference.parameters(), gradients, strict=True):
                weight -= 0.5 * gradient
    assert 2 < len(history) == epochs < 200
    torch.testing.assert_close(history[-1]["loss"], loss.item(), rtol=1e-5, atol=0)
    assert history[-2]["loss"] > 0.4
    for ours, theirs in zip(network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    # the loss that stopped it is the loss of the weights that it left
    assert criterion(network(rows[0]), rows[1]).item() == pytest.approx(history[-1]["loss"], 1e-5)


def test_S_TR_01_batches_are_all_rows_once_in_equal_parts():
    seen = []

    class Recorder(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = nn.Linear(1, 1)

        def forward(self, x):
            seen.append(x.flatten().tolist())
            return self.dense(x)

    network, x = Recorder(), torch.arange(11.0)[:, None]
    fit(network, (x, x), loss=nn.MSELoss(), optimizer=optimizer("sgd", network, lr=1e-4),
        config=FitConfig(epochs=2, batch_size=5))  # fmt: skip
    assert [len(batch) for batch in seen] == [4, 4, 3, 4, 4, 3]
    first, second = ([x for batch in epoch for x in batch] for epoch in (seen[:3], seen[3:]))
    assert sorted(first) == sorted(second) == x.flatten().tolist()
    assert first != second != x.flatten().tolist()


@pytest.mark.parametrize(("stop_below", "rows"), [(None, 5), (1e6, 2)])
def test_S_TR_01_the_loss_of_an_epoch_is_the_mean_of_all_rows_seen(stop_below, rows):
    """5 rows in batches of 2, 2 and 1, whose means weigh as much as they have rows; no learning."""
    seen = []

    class Recorder(nn.Linear):
        def forward(self, x):
            seen.append(x)
            return super().forward(x)

    with seeded(0):
        network = Recorder(1, 1)
    x = torch.tensor([0.0, 1.0, 4.0, 9.0, 16.0])[:, None]
    history = fit(network, (x, x.square()), loss=nn.MSELoss(),
                  optimizer=optimizer("sgd", network, lr=1e-30),
                  config=FitConfig(epochs=1, batch_size=2, stop_below=stop_below))  # fmt: skip
    asked = torch.cat(seen)
    assert len(asked) == rows
    errors = (nn.functional.linear(asked, network.weight, network.bias) - asked.square()).square()
    assert history[0]["loss"] == pytest.approx(errors.mean().item(), rel=1e-5)


def test_S_TR_02_prediction_uses_evaluation_mode_and_puts_every_mode_back():
    network = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))
    network.train()
    network[1].eval()  # a frozen batch norm
    before = {name: value.clone() for name, value in network.state_dict().items()}
    x = torch.randn(10, 3)
    outputs = predict(network, x, batch_size=4)
    assert [module.training for module in network] == [True, False, True, True]
    assert network.training
    assert not outputs.requires_grad
    torch.testing.assert_close(outputs, predict(network, x))
    network.eval()
    torch.testing.assert_close(outputs, network(x).detach())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_S_TR_02_modes_are_put_back_after_an_error():
    network = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)).train()
    with pytest.raises(RuntimeError):
        predict(network, torch.randn(4, 5))
    assert all(module.training for module in network.modules())


def test_S_TR_02_measures_are_of_all_rows_at_once():
    """The root of a mean is not the mean of the batches' roots."""
    network = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(1.0)
    x, y = torch.tensor([[1.0], [2.0], [7.0]]), torch.zeros(3, 1)
    rmse = lambda outputs, targets: (outputs - targets).square().mean().sqrt()  # noqa: E731
    measured = evaluate(network, (x, y), {"rmse": rmse}, batch_size=2)
    assert measured == {"rmse": pytest.approx(math.sqrt(54 / 3))}


def test_S_TR_03_fit_learns_XOR_with_a_tenth_held_out():
    x = XOR.repeat(10, 1)
    y = (x[:, 0] != x[:, 1]).long()
    train, held = hold_out(40, 0.1, labels=y)
    with seeded(0):
        network = MLP(2, [8], 2, activation="tanh")
    before = accuracy(predict(network, XOR), torch.tensor([0, 1, 1, 0]))
    history = fit(
        network,
        (x[train], y[train]),
        loss=nn.CrossEntropyLoss(),
        optimizer=optimizer("adam", network, lr=0.05),
        config=FitConfig(epochs=30, batch_size=8),
        validation=(x[held], y[held]),
        metrics={"accuracy": accuracy},
    )
    assert before < 1.0
    assert accuracy(predict(network, XOR), torch.tensor([0, 1, 1, 0])) == 1.0
    assert history[-1]["validation_accuracy"] == 1.0
    assert [row["epoch"] for row in history] == list(range(1, 31))
    assert history[-1]["validation_loss"] < 0.2 < history[0]["validation_loss"]


def circles(rows=100):
    generator = torch.Generator().manual_seed(0)
    angle = torch.rand(rows, generator=generator) * 2 * math.pi
    labels = torch.arange(rows) % 2
    radius = 1.0 + labels + 0.4 * (torch.rand(rows, generator=generator) - 0.5)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1), labels


@pytest.mark.parametrize(("lifted", "least", "most"), [(False, 0.3, 0.75), (True, 1.0, 1.0)])
def test_S_TR_04_circles_are_separable_by_a_plane_in_three_dimensions(lifted, least, most):
    x, labels = circles()
    if lifted:
        x = torch.cat([x, x.square().sum(1, keepdim=True)], 1)  # x² + y²
    with seeded(0):
        line = nn.Linear(x.shape[1], 2)
    fit(line, (x, labels), loss=nn.CrossEntropyLoss(),
        optimizer=optimizer("adam", line, lr=0.1),
        config=FitConfig(epochs=100, batch_size=100))  # fmt: skip
    assert least <= accuracy(predict(line, x), labels).item() <= most


SCHEDULES = {
    "none": None,
    "milestones": {"at": [2, 4], "factor": 0.5},
    "plateau": {"patience": 0, "factor": 0.5},
}


def train(path, epochs, name, callbacks=()):
    network = build(dropout=0.2, norm="batch")
    rule = optimizer("adam", network, lr=0.02)
    settings = SCHEDULES[name]
    stopping = EarlyStopping(patience=4, restore_best_weights=True)
    x, y = blobs()
    history = fit(
        network,
        (x[:40], y[:40]),
        loss=nn.CrossEntropyLoss(),
        optimizer=rule,
        config=FitConfig(epochs=epochs, batch_size=16),
        validation=(x[40:], y[40:]),
        scheduler=None if settings is None else schedule(name, rule, **settings),
        early_stopping=stopping,
        callbacks=callbacks,
        checkpoint=path,
    )
    return network, history


class Killed(Exception):
    pass


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("at", [1, 3, 6])
def test_S_IO_02_an_interrupted_fit_ends_as_an_uninterrupted_one(tmp_path, name, at):
    def kill(network, row):
        if row["epoch"] == at:
            raise Killed

    whole, history = train(None, 6, name)
    with pytest.raises(Killed):
        train(tmp_path / "fit.pt", 6, name, [kill])
    resumed, again = train(tmp_path / "fit.pt", 6, name)
    assert again == history
    assert same(whole, resumed)
    if name == "milestones":
        assert [row["learning_rate"] for row in again] == [0.02, 0.02, 0.01, 0.01, 0.005, 0.005]


def test_S_IO_02_a_checkpoint_of_another_network_is_refused_by_name(tmp_path):
    for network in (build(), MLP(3, [9], 2)):
        settings = {"optimizer": optimizer("adam", network), "checkpoint": tmp_path / "fit.pt"}
        if network[0].weight.shape[0] == 8:
            fit(network, blobs(), loss=nn.CrossEntropyLoss(), **settings)
            continue
        with pytest.raises(CheckpointError, match=r"fit\.pt is of another training, whose network"):
            fit(network, blobs(), loss=nn.CrossEntropyLoss(), **settings)


def test_S_ES_01_fit_stops_early_and_restores_what_was_best():
    """Random labels: training goes on to fit them, validation only gets worse."""
    x = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    y = torch.randint(2, (60,), generator=torch.Generator().manual_seed(1))
    network = build()
    stopping = EarlyStopping(patience=3, restore_best_weights=True)
    criterion = nn.CrossEntropyLoss()
    history = fit(
        network,
        (x[:30], y[:30]),
        loss=criterion,
        optimizer=optimizer("adam", network, lr=0.05),
        config=FitConfig(epochs=60),
        validation=(x[30:], y[30:]),
        early_stopping=stopping,
    )
    losses = [row["validation_loss"] for row in history]
    assert len(history) == losses.index(min(losses)) + 1 + 3 < 60
    assert evaluate(network, (x[30:], y[30:]), {"loss": criterion})["loss"] == min(losses)


@pytest.mark.parametrize(("held", "rates"), [(2.0, [1.0, 1.0, 0.5, 0.25]), (None, [1.0] * 4)])
def test_a_plateau_follows_the_validation_loss_where_there_is_one(held, rates):
    """The training loss falls, epoch by epoch; that of the rows held out stays."""
    network, x = nn.Linear(1, 1), torch.zeros(4, 1)
    steps = optimizer("sgd", network, lr=1.0)
    epochs = iter(range(10, 0, -1))

    def loss(outputs, targets):
        return outputs.sum() * 0.0 + (next(epochs) if outputs.requires_grad else held)

    history = fit(network, (x, x), loss=loss, optimizer=steps,
                  scheduler=schedule("plateau", steps, patience=0, factor=0.5),
                  config=FitConfig(epochs=4),
                  validation=None if held is None else (x, x))  # fmt: skip
    assert [row["learning_rate"] for row in history] == rates


def test_S_MTL_01_one_trunk_learns_two_tasks_one_of_them_half_labelled():
    x, where = blobs(120)
    high = (x[:, 1] > 0.7).long()
    targets = torch.stack([where, high], 1)  # [N, 2]
    targets[::2, 1] = -1  # nobody said
    with seeded(0):
        heads = {"where": nn.Linear(16, 2), "high": nn.Linear(16, 2)}
        network = MultiTask(MLP(3, [16]), heads)

    def loss(outputs, targets):
        columns = dict(zip(("where", "high"), targets.unbind(1), strict=True))
        losses = {
            task: nn.functional.cross_entropy(outputs[task], labels.clamp(min=0), reduction="none")
            for task, labels in columns.items()
        }
        return multitask_loss(losses, labelled={task: y >= 0 for task, y in columns.items()})

    history = fit(network, (x[:80], targets[:80]), loss=loss,
                  optimizer=optimizer("adam", network, lr=0.02),
                  config=FitConfig(epochs=30), validation=(x[80:], targets[80:]))  # fmt: skip
    outputs = predict(network, x[80:], batch_size=7)
    assert accuracy(outputs["where"], where[80:]) > 0.75
    assert accuracy(outputs["high"], high[80:]) > 0.8
    assert history[-1]["validation_loss"] < history[0]["validation_loss"]


def test_a_callback_that_returns_False_stops():
    network = build()
    seen = []

    def callback(given, row):
        assert given is network
        seen.append(row["epoch"])
        return row["epoch"] < 3

    history = fit(network, blobs(), loss=nn.CrossEntropyLoss(),
                  optimizer=optimizer("sgd", network), callbacks=[callback])  # fmt: skip
    assert seen == [1, 2, 3] == [row["epoch"] for row in history]


def test_random_state_outside_is_left_alone_and_runs_repeat():
    before = torch.get_rng_state()
    first, second = (train(None, 3, "none")[0] for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert same(first, second)


def test_gradients_are_clipped_and_penalties_are_part_of_the_loss():
    network = build()
    start = [p.detach().clone() for p in network.parameters()]

    def loss(outputs, targets):
        return 1e3 * nn.functional.cross_entropy(outputs, targets) + penalty(network, l2=1e-3)

    fit(network, blobs(), loss=loss, optimizer=optimizer("sgd", network, lr=1.0),
        config=FitConfig(epochs=1, batch_size=60, max_grad_norm=0.5))  # fmt: skip
    moved = [p.detach() - s for p, s in zip(network.parameters(), start, strict=True)]
    assert torch.cat([m.flatten() for m in moved]).norm().item() == pytest.approx(0.5, rel=1e-4)


def test_what_cannot_be_trained_is_refused():
    network = build()
    x, y = blobs()
    settings = {"loss": nn.CrossEntropyLoss(), "optimizer": optimizer("sgd", network)}
    with pytest.raises(ValueError, match="got 60 inputs and 59 targets"):
        fit(network, (x, y[:-1]), **settings)
    with pytest.raises(ValueError, match=r"monitors 'validation_loss', but there are: epoch"):
        fit(network, (x, y), early_stopping=EarlyStopping(), **settings)
    with pytest.raises(FloatingPointError, match="the loss is nan in epoch 1"):
        fit(network, (x * math.nan, y), **settings)
    with pytest.raises(ValueError, match="epochs is 0: expected at least 1"):
        FitConfig(epochs=0)


# Divergence -------------------------------------------------------------------------------------

EXPLOSIVE = {"loss": nn.CrossEntropyLoss(), "metrics": {"accuracy": accuracy}}


def explode(network, stopping=None, **settings):
    """Train for two good epochs, then with a rate that nothing survives."""
    optimiser = optimizer("sgd", network, lr=0.1)

    def raise_rate(_, row):
        for group in optimiser.param_groups:
            group["lr"] = 0.1 if row["epoch"] < 2 else math.inf

    settings = EXPLOSIVE | {"validation": blobs(seed=1), "callbacks": [raise_rate]} | settings
    config = FitConfig(epochs=9, batch_size=60)
    return fit(
        network, blobs(), optimizer=optimiser, config=config, early_stopping=stopping, **settings
    )


def test_weights_that_are_not_finite_raise_and_leave_the_checkpoint(tmp_path):
    """Their loss was measured before the update that broke them, and is finite itself."""
    network, file = build(), tmp_path / "fit.pt"
    with pytest.raises(Diverged, match=r"\w+\.weight is not finite in epoch 3; try a smaller"):
        explode(network, checkpoint=file)
    kept = load_checkpoint(file)
    assert len(kept["history"]) == 2
    assert find_not_finite(kept["network"]) is None


def test_a_validation_loss_that_is_not_finite_stops_whatever_is_watched():
    x, y = blobs(seed=1)
    network, stopping = build(), EarlyStopping("loss", patience=9)
    with pytest.raises(Diverged, match="the validation loss is nan in epoch 1"):
        explode(network, stopping, validation=(x.masked_fill(x > 1, math.nan), y))


def test_accuracy_does_not_hide_weights_that_are_not_finite():
    """Of NaN some answers are right: early stopping by accuracy would have gone on."""
    with pytest.raises(Diverged, match="is not finite in epoch 3"):
        explode(build(), EarlyStopping("validation_accuracy", patience=100))


def test_the_best_weights_are_brought_back_instead_of_an_error(tmp_path):
    network, file = build(), tmp_path / "fit.pt"
    stopping = EarlyStopping("validation_accuracy", patience=100, restore_best_weights=True)
    history = explode(network, stopping, checkpoint=file)
    assert len(history) == 3
    assert stopping.stopped
    assert stopping.best_check <= 2
    assert find_not_finite(network.state_dict()) is None
    assert len(load_checkpoint(file)["history"]) == 2


def test_nothing_can_be_brought_back_from_a_bad_first_epoch():
    network = build()
    settings = {"loss": nn.CrossEntropyLoss(), "optimizer": optimizer("sgd", network, lr=0.1)}
    settings["optimizer"].param_groups[0]["lr"] = math.inf
    stopping = EarlyStopping("loss", restore_best_weights=True)
    with pytest.raises(Diverged, match="the loss is nan in epoch 1"):
        fit(network, blobs(), early_stopping=stopping, **settings)


def test_rows_that_are_not_finite_are_named_and_no_learning_rate_blamed():
    x, y = blobs()
    x[3, 0] = math.nan
    for train, validation, said in (
        ((x, y), None, "the loss is nan .* row 3 of the training inputs is not finite"),
        (blobs(), (x[2:], y[2:]), "row 1 of the validation inputs is not finite"),
    ):
        network = build()
        settings = {"loss": nn.CrossEntropyLoss(), "optimizer": optimizer("adam", network)}
        with pytest.raises(Diverged, match=said):
            fit(network, train, validation=validation, config=FitConfig(epochs=1), **settings)


def test_moments_that_are_not_finite_raise_although_the_weights_are():
    """Adam divides by an infinite moment: its weights would rest for ever."""
    network = build()
    with torch.no_grad():
        network[-1].weight.mul_(1e3)  # far from saturation, and from 0
    loss = lambda outputs, targets: 1e25 * outputs.square().mean()  # noqa: E731
    with pytest.raises(Diverged, match=r"the optimizer's state\.\d\.\w+ is not finite in epoch 1"):
        fit(network, blobs(), loss=loss, optimizer=optimizer("adam", network, lr=1e-3))
    assert find_not_finite(network.state_dict()) is None


def test_infinite_masks_are_no_divergence():
    network = nn.Sequential(build())
    network.register_buffer("mask", torch.full((2, 2), -math.inf))
    history = fit(network, blobs(), loss=nn.CrossEntropyLoss(),
                  optimizer=optimizer("sgd", network), config=FitConfig(epochs=1))  # fmt: skip
    assert len(history) == 1
