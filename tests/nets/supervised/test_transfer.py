import pytest
import torch
from torch import nn

from nets import MLP, classic_cnn, init_, optimizer
from nets.gradients.modes import freeze, training_mode, unfreeze
from nets.process.seeding import seeded
from nets.supervised.fit import FitConfig, fit
from nets.supervised.transfer import load_part, replace_head


def classifier(classes=3):
    with seeded(0):
        trunk = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5)
        )
        return nn.Sequential(trunk, nn.Linear(4 * 16, classes))


def data(classes=2):
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(24) % classes
    return torch.randn(24, 1, 6, 6, generator=generator) + labels.view(-1, 1, 1, 1), labels


def snapshot(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def train(network, epochs=3):
    return fit(
        network,
        data(),
        loss=nn.CrossEntropyLoss(),
        optimizer=optimizer("adam", network, lr=0.01),
        config=FitConfig(epochs=epochs, batch_size=8),
    )


def changed(module, before):
    return [k for k, v in module.state_dict().items() if not torch.equal(v, before[k])]


def test_S_TL_01_a_frozen_trunk_stays_bit_for_bit_while_its_new_head_learns():
    network = classifier()
    trunk, old = freeze(network[0]), network[1]
    head = replace_head(network, 2)
    assert network[1] is head is not old
    assert (head.in_features, head.out_features) == (64, 2)
    trunk_before, head_before = snapshot(trunk), snapshot(head)
    history = train(network)
    assert changed(trunk, trunk_before) == []  # nor the statistics of its batch norm
    assert changed(head, head_before) == ["weight", "bias"]
    assert history[-1]["loss"] < history[0]["loss"]


def test_S_TL_01_then_fine_tuning_moves_the_trunk_again():
    network = classifier()
    freeze(network[0])
    replace_head(network, 2)
    train(network, epochs=1)
    before = snapshot(unfreeze(network[0]))
    train(network, epochs=1)
    assert {"0.weight", "1.weight", "1.running_mean", "1.num_batches_tracked"} <= set(
        changed(network[0], before)
    )


def test_S_TL_01_batch_norm_and_dropout_of_a_frozen_trunk_are_in_evaluation():
    network = classifier()
    freeze(network[0])
    assert training_mode(network) is network
    assert network.training
    assert network[1].training
    assert not any(module.training for module in network[0].modules())
    unfreeze(network[0])
    assert all(module.training for module in training_mode(network).modules())


def test_S_TL_01_one_frozen_layer_of_many():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.BatchNorm1d(2))
    freeze(network[1])
    training_mode(network)
    assert [module.training for module in network] == [True, False, True]


def test_S_TL_01_the_head_is_the_last_dense_layer_wherever_it_is():
    network = MLP(4, [8], 3, out_activation="tanh")
    head = replace_head(network, 5, init=lambda layer: init_(layer, "zeros"))
    assert network(torch.randn(2, 4)).shape == (2, 5)
    assert head.weight.count_nonzero() == 0
    with pytest.raises(ValueError, match="Conv2d contains no dense layer"):
        replace_head(nn.Conv2d(1, 1, 1), 2)


def test_S_TL_01_a_trunk_is_found_wherever_it_lies_in_a_saved_state():
    donor, trunk = classifier(), classifier()[0]
    with seeded(5):
        other = classifier()
        nn.init.normal_(other[0][0].weight)
    state = {"step": 3, "name": "x", "weights": donor.state_dict(), "again": other.state_dict()}
    assert load_part(trunk, state) == "weights.0"  # the first of two
    assert same(trunk, donor[0])
    assert load_part(trunk, {"again": other.state_dict()}) == "again.0"
    assert same(trunk, other[0])
    assert load_part(trunk, donor[0].state_dict()) == ""  # a state of its own
    assert same(trunk, donor[0])


def same(module, other):
    return not changed(module, other.state_dict())


@pytest.mark.parametrize(
    ("donor", "message"),
    [
        (
            nn.Sequential(MLP(3, [4]), nn.Linear(4, 2)),
            r"0\.0\.weight is \(4, 3\), expected \(5, 3\)",
        ),
        (
            nn.Sequential(MLP(3, [5, 6]), nn.Linear(6, 2)),
            r"0\.2\.weight is \(6, 5\), expected missing",
        ),
        (nn.Sequential(MLP(3, [5], bias=False)), r"0\.0\.bias is missing, expected \(5,\)"),
        (nn.Identity(), "no part of it is built as this MLP$"),
    ],
)
def test_a_part_that_does_not_fit_is_refused_and_nothing_is_changed(donor, message):
    trunk = MLP(3, [5])
    before = snapshot(trunk)
    with pytest.raises(ValueError, match=message):
        load_part(trunk, {"network": donor.state_dict()})
    assert not changed(trunk, before)
    with pytest.raises(ValueError, match="Flatten has no weights to load"):
        load_part(nn.Flatten(), donor.state_dict())


def test_a_new_head_is_what_its_network_says_it_gives():
    network = MLP(4, [8], 10)
    replace_head(network, 3)
    assert network.out_features == network(torch.zeros(2, 4)).shape[1] == 3
    classic = classic_cnn("alexnet", (3, 63, 63), 10)
    replace_head(classic, 7)
    assert classic.out_features == 7
    holder = nn.Sequential(MLP(4, [10], 10), nn.ReLU(), MLP(10, [], 10))
    replace_head(holder, 3)
    assert [holder[0].out_features, holder[2].out_features] == [10, 3]
