"""What begins anew knows nothing of what was before; what goes on is the training that it was."""

from functools import partial

import pytest
import torch
from torch import nn

from nets import MLP, optimizer, schedule
from nets.process.seeding import seeded
from nets.runs.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from nets.runs.fingerprints import content
from nets.supervised.early_stopping import EarlyStopping
from nets.supervised.fit import FitConfig, fit
from nets.supervised.splits import k_fold


def rows(count=40, seed=0):
    x = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
    return x, (x[:, 0] > 0).long()


def train(seed=0, *, rule=None, data=None, loss=None, plan=None, network=None, lr=0.02, **settings):
    """Train a network of its own; `rule` and `plan` name an optimiser and a schedule."""
    with seeded(seed):
        network = network or MLP(3, [8], 2)
    rule = rule or optimizer("adam", network, lr=lr)
    scheduler = plan(rule) if plan else None
    settings = {"config": FitConfig(epochs=3)} | settings
    history = fit(network, data or rows(), loss=loss or nn.CrossEntropyLoss(), optimizer=rule,
                  scheduler=scheduler, **settings)  # fmt: skip
    return network, history


def test_one_early_stopping_for_all_folds_is_as_good_as_one_for_each():
    def cross_validated(stopping):
        x, y = rows()
        found = []
        for number, (train_rows, held) in enumerate(k_fold(40, 4, labels=y)):
            network, history = train(
                number, data=(x[train_rows], y[train_rows]), validation=(x[held], y[held]),
                early_stopping=stopping(), config=FitConfig(epochs=12))  # fmt: skip
            found.append((network[0].weight.detach().clone(), history))
        return found

    one = EarlyStopping(patience=2, restore_best_weights=True)
    shared = cross_validated(lambda: one)
    own = cross_validated(lambda: EarlyStopping(patience=2, restore_best_weights=True))
    for (weight, history), (expected, told) in zip(shared, own, strict=True):
        assert torch.equal(weight, expected)
        assert history == told


def weighed(factor):
    return lambda logits, labels: factor * nn.functional.cross_entropy(logits, labels)


def smooth(share):
    return partial(nn.functional.cross_entropy, label_smoothing=share)


def written(text):
    """A loss as a program has it that is run, changed, and run again."""
    names = {"F": nn.functional}
    exec(text, names)
    return {"loss": names["loss"]}


SUMMED = "def loss(logits, labels): return WEIGHT * F.cross_entropy(logits, labels)\nWEIGHT = "
SQUARED = "def loss(logits, labels): return F.{}(logits[:, 0], labels.float())"


def made_of(activation, dropout):
    return {"network": MLP(3, [8], 2, activation=activation, dropout=dropout)}


ALIKE = {
    "smoothed": ({}, {"loss": nn.CrossEntropyLoss(label_smoothing=0.1)}),
    "summed": ({}, {"loss": nn.CrossEntropyLoss(reduction="sum")}),
    "closed over": ({"loss": weighed(1.0)}, {"loss": weighed(2.0)}),
    "in part": ({"loss": smooth(0.1)}, {"loss": smooth(0.2)}),
    "of the program": (written(SUMMED + "1.0"), written(SUMMED + "2.0")),
    "another": (written(SQUARED.format("mse_loss")), written(SQUARED.format("l1_loss"))),
    "activation": (made_of("relu", 0.1), made_of("tanh", 0.1)),
    "dropout": (made_of("relu", 0.1), made_of("relu", 0.5)),
}


@pytest.mark.parametrize("name", ALIKE)
def test_a_checkpoint_refuses_what_has_the_same_name_or_shape_only(tmp_path, name):
    before, now = ({"checkpoint": tmp_path / "fit.pt"} | each for each in ALIKE[name])
    train(**before)
    train(**before)
    with pytest.raises(
        CheckpointError, match=r"whose ((settings|code) of the loss|network): .*, and now"
    ):
        train(**now)


OTHERS = {
    "training rows": {"data": rows(seed=1)},
    "validation rows": {"validation": rows(seed=3)},
    "loss": {"loss": nn.CrossEntropyLoss(torch.tensor([1.0, 2.0]))},
    "config": {"config": FitConfig(epochs=3, batch_size=8)},
    "settings of the optimizer": {"lr": 0.01},
    "scheduler": {"plan": lambda rule: schedule("cosine", rule, steps=9)},
    "early stopping": {"early_stopping": EarlyStopping(patience=3)},
}


@pytest.mark.parametrize("name", list(OTHERS))
def test_a_checkpoint_refuses_another_training_of_the_same_shapes(tmp_path, name):
    given = {"checkpoint": tmp_path / "fit.pt", "validation": rows(seed=2)}
    train(**given)
    with pytest.raises(CheckpointError, match=rf"fit\.pt is of another training, whose {name}"):
        train(**given | OTHERS[name])


def test_more_epochs_are_no_other_training(tmp_path):
    """Neither in a new process, nor with the very objects, whose rate has been moved by then."""
    plan = lambda rule: schedule("milestones", rule, at=[2], factor=0.5)  # noqa: E731
    whole, expected = train(plan=plan, config=FitConfig(epochs=5))
    train(plan=plan, config=FitConfig(epochs=3), checkpoint=tmp_path / "fit.pt")
    resumed, history = train(9, plan=plan, config=FitConfig(epochs=5),
                             checkpoint=tmp_path / "fit.pt")  # fmt: skip
    assert history == expected
    assert torch.equal(whole[0].weight, resumed[0].weight)

    rule = optimizer("adam", network := build(), lr=0.02)
    scheduler = plan(rule)
    for epochs in (3, 5):
        history = fit(network, rows(), loss=nn.CrossEntropyLoss(), optimizer=rule,
                      scheduler=scheduler, config=FitConfig(epochs=epochs),
                      checkpoint=tmp_path / "same.pt")  # fmt: skip
    assert history == expected


def build():
    with seeded(0):
        return MLP(3, [8], 2)


def test_a_file_that_does_not_say_whose_it_is_is_taken_as_it_comes(tmp_path):
    train(checkpoint=tmp_path / "fit.pt")
    state = load_checkpoint(tmp_path / "fit.pt")
    state.pop("training")
    save_checkpoint(tmp_path / "fit.pt", state)
    assert len(train(data=rows(seed=1), checkpoint=tmp_path / "fit.pt")[1]) == 3


def test_an_optimizer_of_another_network_is_refused():
    with pytest.raises(ValueError, match="the optimizer steps no parameter of the network"):
        train(rule=optimizer("adam", build()), network=build())


def test_a_schedule_of_another_training_is_refused():
    rule = optimizer("adam", network := build(), lr=0.02)
    used = schedule("cosine", rule, steps=3)
    train(rule=rule, network=network, plan=lambda _: used)
    with pytest.raises(ValueError, match="the scheduler has taken 3 steps already"):
        train(rule=rule, network=network, plan=lambda _: used)
    with pytest.raises(ValueError, match="the scheduler is of another optimizer"):
        train(
            network=network, plan=lambda _: schedule("cosine", optimizer("adam", network), steps=3)
        )


def test_an_optimizer_that_has_gathered_moments_is_told_of():
    """One for all folds brings what it learned of the rows that are now held out."""
    rule = optimizer("adam", network := build(), lr=0.02)
    train(rule=rule, network=network)
    with pytest.warns(UserWarning, match="the optimizer has moments of steps before this") as told:
        train(rule=rule, network=network)
    assert told[0].filename == __file__
    plain = optimizer("sgd", other := build(), lr=0.02)  # gathers nothing
    for _ in range(2):
        train(rule=plain, network=other)


def test_a_fingerprint_is_of_content_type_and_shape():
    x = torch.arange(12.0).view(3, 4)
    assert content([x, None]) == content([x.t().contiguous().t(), None])
    others = [[x], [None, x], [x.view(4, 3), None], [x.double(), None], [x + 1, None]]
    assert len({content(each) for each in [[x, None], *others]}) == 6
    assert content([torch.tensor(1.0), torch.empty(0, 3)])
