import copy

import pytest
import torch
from torch import nn

from nets.layers.conv import CNN
from nets.layers.images import scaled
from nets.layers.precision import Convolutions, set_convolutions
from nets.networks.encoders import ImpalaCNN, NatureCNN

SHAPE = (3, 36, 36)
PICTURES = torch.randint(0, 256, (5, *SHAPE), dtype=torch.uint8, generator=torch.manual_seed(0))


def halved(network):
    copied = copy.deepcopy(network)
    set_convolutions(copied, torch.bfloat16)
    return copied


def gradients(network, images):
    network.zero_grad()
    network(images).square().sum().backward()
    return torch.cat([p.grad.reshape(-1) for p in network.parameters()])


def distance(x, exact):
    return ((x.double() - exact).norm() / exact.norm()).item()


@pytest.mark.parametrize("encoder", [NatureCNN, ImpalaCNN])
def test_bfloat16_rounds_to_eight_bits_and_no_more(encoder):
    torch.manual_seed(0)
    full = encoder(SHAPE)
    half, exact = halved(full), copy.deepcopy(full).double()
    outputs, truth = half(PICTURES), exact(PICTURES).detach()
    assert outputs.dtype is torch.float32
    assert distance(full(PICTURES), truth) < 1e-6
    assert 1e-4 < distance(outputs, truth) < 2e-2  # one rounding is by up to 2⁻⁹, 2e-3
    slope, expected = gradients(half, PICTURES), gradients(exact, PICTURES)
    assert slope.dtype is torch.float32
    assert distance(gradients(full, PICTURES), expected) < 1e-5
    assert 1e-4 < distance(slope, expected) < 5e-2


def test_only_the_convolutions_are_halved_and_weights_stay():
    network = halved(NatureCNN(SHAPE))
    seen = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(
                lambda _, inputs, output, name=name: seen.update({name: output.dtype})
            )
    network(PICTURES)
    assert seen.pop("cnn.linear") is torch.float32
    assert set(seen.values()) == {torch.bfloat16}
    assert len(seen) == 3
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_none_takes_the_precision_back():
    network = NatureCNN(SHAPE)
    before = network(PICTURES)
    set_convolutions(network, torch.bfloat16)
    assert not torch.equal(network(PICTURES), before)
    set_convolutions(network, None)
    assert torch.equal(network(PICTURES), before)


def test_a_chain_without_a_precision_leaves_the_surrounding_one():
    chain = Convolutions(nn.Conv2d(3, 4, 3))
    images = torch.rand(2, *SHAPE)
    assert chain(images).dtype is torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert chain(images).dtype is torch.bfloat16
    assert chain.double()(images.double()).dtype is torch.float64


def test_every_byte_becomes_the_bfloat16_nearest_to_a_255th():
    values = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    exact = values.double() / 255
    found = scaled(values, (1, 16, 16), torch.bfloat16)
    assert torch.equal(found, exact.bfloat16())


def test_names_of_weights_do_not_depend_on_precision():
    network = CNN(SHAPE, (4, 5), 3, 2, out_features=6)
    other = halved(CNN(SHAPE, (4, 5), 3, 2, out_features=6))
    other.load_state_dict(network.state_dict())
    assert distance(other(PICTURES), network(PICTURES).double()) < 2e-2
