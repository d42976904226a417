from itertools import pairwise

import pytest
import torch
from torch import nn

from nets import MLP
from nets.layers.norm import BatchNorm
from nets.process.seeding import seeded


def test_N_LIN_03_a_dense_layer_is_a_weighted_sum_and_an_activation():
    net = MLP(5, [], 3, out_activation="tanh").double()
    x = torch.randn(2, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    z = torch.einsum("tbi,oi->tbo", x, net[0].weight) + net[0].bias
    torch.testing.assert_close(net(x), torch.tanh(z))


HAND_BUILT = {
    "plain": (
        {"hidden": [64, 32], "out_features": 2},
        lambda: [nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2)],
    ),
    "no output": ({"hidden": [8], "activation": nn.ELU}, lambda: [nn.Linear(4, 8), nn.ELU()]),
    "one layer": ({"hidden": [], "out_features": 2}, lambda: [nn.Linear(4, 2)]),
    "everything": (
        {
            "hidden": [8, 6],
            "out_features": 3,
            "activation": ["tanh", None],
            "norm": ["batch", "layer"],
            "dropout": 0.25,
            "out_activation": "sigmoid",
        },
        lambda: [
            nn.Linear(4, 8, bias=False),
            nn.BatchNorm1d(8),
            nn.Tanh(),
            nn.Dropout(0.25),
            nn.Linear(8, 6),
            nn.LayerNorm(6),
            nn.Dropout(0.25),
            nn.Linear(6, 3),
            nn.Sigmoid(),
        ],
    ),
    "no bias": (
        {"hidden": [8], "out_features": 2, "bias": False},
        lambda: [nn.Linear(4, 8, bias=False), nn.ReLU(), nn.Linear(8, 2, bias=False)],
    ),
}


@pytest.mark.parametrize("case", HAND_BUILT)
def test_N_LIN_04_it_equals_the_sequence_built_by_hand_bit_for_bit(case):
    options, build = HAND_BUILT[case]
    with seeded(3):
        ours = MLP(4, **options)
        x = torch.randn(10, 4)
        y = ours(x)
        y.square().sum().backward()
    with seeded(3):
        hand = nn.Sequential(*build())
        expected = hand(torch.randn(10, 4))
        expected.square().sum().backward()
    assert torch.equal(y, expected)
    assert list(ours.state_dict()) == list(hand.state_dict())
    for a, b in zip(ours.parameters(), hand.parameters(), strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a.grad, b.grad)


@pytest.mark.parametrize("sizes", [[4, 64, 64, 2], [7, 1], [3, 10, 20, 30, 5]])
def test_N_LIN_04_parameter_count(sizes):
    net = MLP(sizes[0], sizes[1:-1], sizes[-1])
    expected = sum((a + 1) * b for a, b in pairwise(sizes))
    assert sum(p.numel() for p in net.parameters()) == expected
    assert net.in_features == sizes[0]
    assert net.out_features == sizes[-1]


def test_without_an_output_layer_it_is_an_encoder():
    net = MLP(4, [16, 8])
    assert net.out_features == 8
    assert (net(torch.randn(5, 4)) >= 0).all()  # ends with the last hidden layer's ReLU
    assert MLP(4, []).out_features == 4


def test_a_norm_takes_leading_dimensions():
    net = MLP(4, [8], 2, norm="batch").double()
    x = torch.randn(3, 5, 4, dtype=torch.float64)
    torch.testing.assert_close(net(x), net(x.flatten(0, 1)).unflatten(0, (3, 5)))
    assert isinstance(net[1], BatchNorm)


def test_layers_never_share_an_activation_given_as_a_module():
    net = MLP(4, [8, 8], activation=nn.PReLU())
    assert net[1].weight is not net[3].weight


def test_an_init_function_sees_every_dense_layer():
    seen = []
    net = MLP(4, [8, 6], 2, init=seen.append)
    assert seen == [m for m in net if isinstance(m, nn.Linear)]


def test_lecun_and_glorot_keep_their_own_gain():
    with seeded(0):
        net = MLP(400, [400], 400, activation="relu", init="lecun")
    assert net[0].weight.var().item() * 400 == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4, [0], 2), r"positive, got \[4, 0, 2\]"),
        ((4, [8], -1), "positive"),
        ((4, [8], 2, {"dropout": 1.0}), r"\[0, 1\), got 1.0"),
        ((4, [8], 2, {"activation": ["relu", "relu"]}), "activation needs one entry for each of 1"),
        ((4, [8, 8], 2, {"norm": ["batch"]}), "norm needs one entry for each of 2"),
        ((4, [8], None, {"out_activation": "tanh"}), "need out_features"),
        ((4, [8], 2, {"out_gain": 0.01}), "out_gain needs init"),
        ((4, [8], 2, {"activation": "rleu"}), "did you mean"),
    ],
)
def test_errors_name_what_was_expected(arguments, message):
    options = arguments[3] if len(arguments) > 3 else {}
    with pytest.raises(ValueError, match=message):
        MLP(*arguments[:3], **options)


def test_it_runs_on_the_meta_device():
    with torch.device("meta"):
        net = MLP(4, [8], 2, norm="layer", init="orthogonal", out_gain=0.01)
        assert net(torch.empty(3, 4)).shape == (3, 2)


def test_a_part_of_a_network_is_a_row_of_its_layers():
    network = MLP(3, (4, 5), 2, activation="relu", dropout=0.5).eval()
    x = torch.randn(7, 3)
    body, last = network[:-1], network[-1]
    assert type(body) is nn.Sequential
    assert torch.equal(last(body(x)), network(x))
    assert [type(layer) for layer in network[1:3]] == [nn.ReLU, nn.Dropout]
    assert body[0] is network[0]
