from copy import deepcopy

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import nn

import agents
from agents.networks.encoders import build_encoder, place
from agents.networks.fast import numpy_forward
from agents.networks.pictures import is_picture, picture_layout
from nets.layers.heads import DuelingHead
from nets.layers.mlp import MLP
from nets.layers.precision import Convolutions
from nets.networks.encoders import ImpalaCNN, NatureCNN, SmallCNN

Box = gym.spaces.Box


def box(*shape, dtype=np.float32, high=1):
    return Box(0, high, shape, dtype)


def kinds(network):
    return {type(module) for module in network.modules()}


@pytest.mark.parametrize(
    ("space", "kind", "in_shape"),
    [
        (box(84, 84, 4, dtype=np.uint8, high=255), NatureCNN, (4, 84, 84)),
        (box(4, 84, 84, dtype=np.uint8, high=255), NatureCNN, (4, 84, 84)),
        (box(84, 84, dtype=np.uint8, high=255), NatureCNN, (1, 84, 84)),
        (box(36, 40, 3, dtype=np.uint8, high=255), NatureCNN, (3, 36, 40)),
        (box(10, 10, 4, dtype=np.bool_), SmallCNN, (4, 10, 10)),
        (box(10, 5, 1), SmallCNN, (1, 10, 5)),
        (box(1, 10, 5), SmallCNN, (1, 10, 5)),
    ],
    ids=str,
)
def test_pictures_get_a_cnn(space, kind, in_shape):
    network, features = build_encoder(space, hidden=(32,))
    assert kind in kinds(network)
    assert picture_layout(space)[1] == in_shape
    space.seed(0)
    pictures = torch.from_numpy(np.stack([space.sample() for _ in range(3)]))
    assert network(pictures).shape == (3, features)


LAYOUTS = {
    (10, 10, 10): (10, 10, 10),  # MinAtar's Seaquest: [H, W, C], as in Gymnasium
    (8, 8, 111): (111, 8, 8),  # a chess board
    (111, 8, 8): (111, 8, 8),
    (6, 7, 2): (2, 6, 7),
    (2, 6, 7): (2, 6, 7),
    (4, 48, 48, 3): (12, 48, 48),  # four frames in colour
    (4, 3, 48, 48): (12, 48, 48),
    (4, 64, 48, 1): (4, 64, 48),
}


@pytest.mark.parametrize(("shape", "in_shape"), LAYOUTS.items(), ids=str)
def test_every_number_of_a_picture_reaches_its_channel_row_and_column(shape, in_shape):
    layout, found = picture_layout(box(*shape))
    assert found == in_shape
    *stack, height, width, last = shape
    channels_last = (height, width) == in_shape[1:]
    for spot in ([0] * len(shape), [s - 1 for s in shape], [s // 2 for s in shape]):
        picture = torch.zeros(1, *shape)
        picture[(0, *spot)] = 1.0
        frame, (a, b, c) = (spot[0] if stack else 0), spot[len(stack) :]
        expected = [0, frame * last + c, a, b] if channels_last else [0, frame * height + a, b, c]
        assert (layout(picture) if layout else picture).nonzero().tolist() == [expected]


@pytest.mark.parametrize("shape", [(3, 20, 3), (30, 20, 25), (4, 5, 3, 5)])
def test_where_nobody_can_tell_the_channels_a_setting_says_it(shape):
    with pytest.raises(ValueError, match="say channels='first' or channels='last'"):
        picture_layout(box(*shape))
    *stack, first, middle, last = shape
    frames = stack[0] if stack else 1
    assert picture_layout(box(*shape), "first")[1] == (frames * first, middle, last)
    assert picture_layout(box(*shape), "last")[1] == (frames * last, first, middle)


class Still(gym.Env):
    """Shows one picture."""

    observation_space = box(10, 12, 10, dtype=np.uint8, high=255)
    action_space = gym.spaces.Discrete(2)


@pytest.mark.filterwarnings("ignore:.*cannot be made anew")
def test_agents_are_told_where_channels_are():
    with pytest.raises(ValueError, match="say channels="):
        agents.DQN(Still())
    for kind, config in ((agents.DQN, agents.DQNConfig), (agents.PPO, agents.PPOConfig)):
        agent = kind(Still(), config(channels="last", encoder="small-cnn"))
        action, _ = agent.predict(Still.observation_space.sample())
        assert action in (0, 1)


def test_bytes_are_scaled_for_an_mlp_unless_it_was_saved_before_they_were():
    space = box(3, 4, dtype=np.uint8, high=255)
    network, _ = build_encoder(space, encoder="mlp", hidden=(5,))
    seen = []
    first = next(m for m in network.modules() if isinstance(m, nn.Linear))
    first.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    picture = torch.full((1, 3, 4), 255, dtype=torch.uint8)
    out = network(picture)
    assert seen[0].tolist() == [[1.0] * 12]
    fast = numpy_forward(network)
    np.testing.assert_allclose(fast(picture.numpy()), out.detach(), rtol=1e-5, atol=1e-6)
    state = deepcopy(network.state_dict())
    old = {name: value for name, value in state.items() if not name.endswith("scale")}
    network.load_state_dict(old)
    network(picture)
    assert seen[1].tolist() == [[255.0] * 12]
    network.load_state_dict(state)
    network(picture)
    assert seen[2].tolist() == [[1.0] * 12]


@pytest.mark.parametrize(
    "space",
    [
        box(),
        box(4),
        box(4, dtype=np.float64),
        box(4, dtype=np.uint8),
        box(3, 5),
        box(7, dtype=np.int64),
    ],
    ids=str,
)
def test_vectors_get_an_mlp(space):
    assert not is_picture(space)
    network, features = build_encoder(space, hidden=(32, 16))
    assert features == 16
    assert nn.Conv2d not in kinds(network)
    space.seed(0)
    batch = np.stack([space.sample() for _ in range(3)])
    expected = network(torch.from_numpy(batch))
    assert expected.shape == (3, 16)
    # the same numbers, whatever their type and shape
    dense = next(m for m in network.modules() if isinstance(m, MLP))
    flat = torch.from_numpy(batch.reshape(3, -1).astype(np.float32))
    torch.testing.assert_close(expected, dense(flat))


@pytest.mark.parametrize("start", [0, -3, 5])
def test_discrete_observations_are_one_hot(start):
    space = gym.spaces.Discrete(4, start=start)
    network, features = build_encoder(space, hidden=(6,))
    assert features == 6
    codes = network[0](torch.arange(start, start + 4))
    assert torch.equal(codes, torch.eye(4))


def test_channels_last_and_first_see_the_same_picture():
    last, first = box(20, 30, 3), box(3, 20, 30)
    networks = []
    for space in (last, first):
        torch.manual_seed(0)
        networks.append(build_encoder(space, encoder="small-cnn", hidden=())[0])
    picture = torch.rand(2, 20, 30, 3)
    torch.testing.assert_close(networks[0](picture), networks[1](picture.permute(0, 3, 1, 2)))


def test_a_picture_without_channels_is_one_channel():
    torch.manual_seed(0)
    plain, _ = build_encoder(box(20, 30, dtype=np.uint8, high=255), hidden=())
    torch.manual_seed(0)
    channel, _ = build_encoder(box(1, 20, 30, dtype=np.uint8, high=255), hidden=())
    picture = torch.randint(255, (2, 20, 30), dtype=torch.uint8)
    torch.testing.assert_close(plain(picture), channel(picture.unsqueeze(1)))


@pytest.mark.parametrize(
    ("encoder", "kind"),
    [("nature", NatureCNN), ("impala", ImpalaCNN), ("small-cnn", SmallCNN), ("mlp", MLP)],
)
def test_encoders_by_name(encoder, kind):
    network, features = build_encoder(box(40, 40, 2), encoder=encoder, hidden=(24,))
    assert kind in kinds(network)
    assert network(torch.rand(2, 40, 40, 2)).shape == (2, features)


@pytest.mark.parametrize("encoder", ["nature", "impala", "small-cnn"])
@pytest.mark.parametrize("space", [box(4), gym.spaces.Discrete(4)], ids=str)
def test_vectors_are_no_pictures(encoder, space):
    with pytest.raises(ValueError, match=f"encoder '{encoder}' needs pictures"):
        build_encoder(space, encoder=encoder, hidden=())


def test_other_spaces_are_named():
    for space in (gym.spaces.Text(3), gym.spaces.Dict({"a": gym.spaces.Text(3)})):
        with pytest.raises(TypeError, match="expected Box"):
            build_encoder(space, hidden=(8,))


DENSE = {
    "relu": nn.Sequential(MLP(4, (16, 16)), nn.Linear(16, 3)),
    "tanh": nn.Sequential(MLP(4, (16,), activation="tanh"), nn.Linear(16, 3, bias=False)),
    "linear": nn.Sequential(MLP(4, ()), nn.Linear(4, 3)),
    "flat": nn.Sequential(build_encoder(box(2, 2), hidden=(16,))[0], nn.Linear(16, 3)),
}


@pytest.mark.parametrize("network", DENSE.values(), ids=DENSE.keys())
@pytest.mark.parametrize("count", [1, 7])
def test_numpy_forward_is_torchs_forward(network, count):
    fast = numpy_forward(network)
    shape = (count, 2, 2) if network is DENSE["flat"] else (count, 4)
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    before = x.copy()
    with torch.no_grad():
        expected = network(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(fast(x), expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(x, before)


def test_numpy_forward_follows_the_weights():
    network = nn.Sequential(MLP(4, (8,)), nn.Linear(8, 2))
    fast, x = numpy_forward(network), np.ones((1, 4), np.float32)
    before = fast(x)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.5)
    np.testing.assert_allclose(fast(x), network(torch.from_numpy(x)).detach().numpy(), atol=1e-6)
    assert not np.allclose(fast(x), before)


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(MLP(4, (8,), activation="gelu"), nn.Linear(8, 2)),
        nn.Sequential(MLP(4, (8,), norm="layer"), nn.Linear(8, 2)),
        nn.Sequential(MLP(4, (8,), dropout=0.5), nn.Linear(8, 2)),
        nn.Sequential(MLP(4, (8,)), DuelingHead(8, 2)),
        nn.Sequential(build_encoder(gym.spaces.Discrete(4), hidden=(8,))[0], nn.Linear(8, 2)),
        nn.Sequential(build_encoder(box(1, 10, 10), hidden=())[0], nn.Linear(128, 2)),
        nn.Linear(4, 2, device="meta"),
    ],
    ids=["gelu", "norm", "dropout", "dueling", "one-hot", "cnn", "meta"],
)
def test_numpy_forward_refuses_what_it_cannot_repeat(network):
    assert numpy_forward(network) is None


@pytest.mark.parametrize(
    ("size", "precision", "units", "expected"),
    [
        (84, "auto", True, torch.bfloat16),
        (84, "auto", False, None),
        (84, "float32", True, None),
        (84, "bfloat16", False, torch.bfloat16),
        (42, "auto", True, None),
        (42, "bfloat16", True, torch.bfloat16),
    ],
)
def test_precision_of_convolutions(monkeypatch, size, precision, units, expected):
    monkeypatch.setattr("agents.networks.encoders.has_bfloat16", lambda device: units)
    space = box(size, size, 3, dtype=np.uint8, high=255)
    network, _ = build_encoder(space, hidden=())
    place(network, space, torch.device("cpu"), precision)
    parts = [module for module in network.modules() if isinstance(module, Convolutions)]
    assert [part.dtype for part in parts] == [expected]


@pytest.mark.parametrize(("size", "last"), [(42, True), (10, False)])
def test_weights_lie_as_the_pictures_do(size, last):
    space = box(size, size, 3, dtype=np.uint8, high=255)
    network, _ = build_encoder(space, hidden=())
    pictures = torch.from_numpy(np.stack([space.sample() for _ in range(2)]))
    before = network(pictures)
    place(network, space, torch.device("cpu"))
    weights = [p for p in network.parameters() if p.dim() == 4]
    assert all(w.is_contiguous(memory_format=torch.channels_last) is last for w in weights)
    torch.testing.assert_close(network(pictures), before)


@pytest.mark.parametrize("space", [box(4), gym.spaces.Discrete(3)], ids=str)
def test_other_networks_are_placed_as_they_are(space):
    network, _ = build_encoder(space, hidden=(8,))
    weights = [p.clone() for p in network.parameters()]
    assert place(network, space, torch.device("cpu"), "bfloat16") is network
    assert all(map(torch.equal, weights, network.parameters()))
