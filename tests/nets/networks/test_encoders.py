"""Encoders against published counts, SB3's own Nature CNN and equations written out."""

import gymnasium as gym
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from stable_baselines3.common.torch_layers import NatureCNN as PeerNatureCNN
from torch import nn

from nets import init_
from nets.layers.residual import Bottleneck, ResBlock
from nets.networks.encoders import ImpalaCNN, NatureCNN, SmallCNN, image_encoder


def count(module):
    return sum(p.numel() for p in module.parameters())


def pixels(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize(
    ("encoder", "in_shape", "parameters", "out_features"),
    [
        (NatureCNN, (4, 84, 84), 1_684_128, 512),
        (ImpalaCNN, (3, 64, 64), 622_144, 256),
        (ImpalaCNN, (4, 84, 84), 1_089_232, 256),
        (SmallCNN, (4, 10, 10), 16 * (4 * 9 + 1) + 128 * (16 * 8 * 8 + 1), 128),
    ],
)
def test_N_ARC_09_parameter_counts(encoder, in_shape, parameters, out_features):
    net = encoder(in_shape)
    assert count(net) == parameters
    y = net(pixels(2, *in_shape))
    assert y.shape == (2, net.out_features) == (2, out_features)
    assert (y >= 0).all()
    assert (y > 0).any()


def test_N_ARC_09_nature_equals_the_peers():
    space = gym.spaces.Box(0, 255, (4, 84, 84), np.uint8)
    peer, ours = PeerNatureCNN(space), NatureCNN((4, 84, 84))
    values = list(peer.state_dict().values())
    ours.load_state_dict(dict(zip(ours.state_dict(), values, strict=True)))
    images = pixels(3, 4, 84, 84)
    torch.testing.assert_close(ours(images), peer(images.float() / 255))


@pytest.mark.parametrize("size", [(84, 84), (42, 42), (36, 47), (61, 50)])
@pytest.mark.parametrize("encoder", [NatureCNN, SmallCNN])
def test_N_ARC_09_every_pixel_is_seen(encoder, size):
    net = init_(encoder((2, *size)), "ones")
    images = pixels(1, 2, *size).float() + 1.0
    (slope,) = torch.autograd.grad(net(images.requires_grad_()).sum(), images)
    assert (slope > 0).all()


def test_N_ARC_09_impala_equation():
    torch.manual_seed(0)
    net = ImpalaCNN((3, 20, 14)).double()
    state = iter(net.state_dict().values())
    images = pixels(2, 3, 20, 14)

    def conv(x):
        return F.conv2d(x, next(state), next(state), padding=1)

    x = images.double() / 255
    for _ in range(3):
        x = F.max_pool2d(conv(x), 3, 2, 1)
        for _ in range(2):
            x = x + conv(F.relu(conv(F.relu(x))))
    expected = F.relu(F.linear(F.relu(x).flatten(1), next(state), next(state)))
    torch.testing.assert_close(net(images), expected, rtol=0, atol=1e-12)
    assert next(state, None) is None


@pytest.mark.parametrize("encoder", [NatureCNN, ImpalaCNN, SmallCNN])
def test_N_ARC_09_smallest_image(encoder):
    height, width = encoder.min_size
    net = encoder((2, height, width), out_features=5)
    assert net(pixels(3, 2, height, width)).shape == (3, net.out_features) == (3, 5)
    for smaller in ((height - 1, width), (height, width - 1)):
        with pytest.raises(ValueError, match=f"at least {height}x{width}|channels, height, width"):
            encoder((2, *smaller))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((84, 84), NatureCNN),
        ((36, 36), NatureCNN),
        ((35, 36), SmallCNN),
        ((36, 35), SmallCNN),
        ((10, 10), SmallCNN),
        ((10, 5), SmallCNN),
    ],
)
def test_automatic_choice(size, expected):
    assert type(image_encoder((4, *size))) is expected


def test_choice_by_name():
    assert type(image_encoder((1, 84, 84), "small-cnn")) is SmallCNN
    assert type(image_encoder((1, 10, 10), "IMPALA")) is ImpalaCNN
    with pytest.raises(ValueError, match="did you mean 'nature'"):
        image_encoder((1, 84, 84), "natur")
    with pytest.raises(ValueError, match=r"10x10 .* at least 36x36"):
        image_encoder((1, 10, 10), "nature")
    with pytest.raises(ValueError, match=r"2x10 .* at least 3x3"):
        image_encoder((1, 2, 10))


@pytest.mark.parametrize("in_shape", [(4, 84, 84), (3, 10, 10)])
def test_training_step_on_the_meta_device(in_shape):
    for net in (image_encoder(in_shape), ImpalaCNN(in_shape)):
        net = net.to("meta")
        y = net(torch.empty(2, *in_shape, dtype=torch.uint8, device="meta"))
        y.sum().backward()
        assert all(p.grad.is_meta for p in net.parameters())


def test_N_ARC_05_residual_block_parameter_count():
    assert count(ResBlock(64)) == 73_984
    assert count(ResBlock(64, norm=None)) == 2 * 64 * (64 * 9 + 1)


def test_N_ARC_05_residual_block_equations():
    x = torch.randn(2, 3, 6, 5, generator=torch.Generator().manual_seed(0))
    block = ResBlock(3, activation="tanh")
    first, one, _, second, two = block.residual
    expected = torch.tanh(x + two(second(torch.tanh(one(first(x))))))
    torch.testing.assert_close(block(x), expected)
    block = ResBlock(3, activation="tanh", pre_activation=True)
    one, _, first, two, _, second = block.residual
    torch.testing.assert_close(block(x), x + second(torch.tanh(two(first(torch.tanh(one(x)))))))


@pytest.mark.parametrize("pre_activation", [False, True])
@pytest.mark.parametrize("norm", ["batch", None])
def test_N_ARC_05_a_stride_asks_for_a_convolution_around_as_many_channels(norm, pre_activation):
    """A shape can change in its sides alone."""
    x = torch.randn(2, 8, 7, 6, generator=torch.Generator().manual_seed(0))
    block = ResBlock(8, stride=2, norm=norm, pre_activation=pre_activation)
    conv = block.shortcut if norm is None else block.shortcut[0]
    around = F.conv2d(x, conv.weight, conv.bias, stride=2)
    around = around if norm is None else F.batch_norm(around, None, None, training=True)
    total = around + block.residual(x)
    assert total.shape == (2, 8, 4, 3)
    torch.testing.assert_close(block(x), total if pre_activation else total.relu())


@pytest.mark.parametrize(("channels", "stride"), [(16, 1), (16, 2), (8, 1)])
def test_N_ARC_05_a_bottleneck_has_a_convolution_around_it_where_shapes_differ(channels, stride):
    x = torch.randn(2, channels, 7, 6, generator=torch.Generator().manual_seed(0))
    block = Bottleneck(channels, 4, stride)
    around = x
    if (channels, stride) != (16, 1):
        around = F.conv2d(x, block.shortcut[0].weight, None, stride)
        around = F.batch_norm(around, None, None, training=True)
    torch.testing.assert_close(block(x), (around + block.residual(x)).relu())


def test_N_ARC_05_a_zero_last_norm_leaves_the_shortcut():
    x = torch.randn(2, 8, 6, 6)
    block = ResBlock(8)
    nn.init.zeros_(block.residual[-1].weight)
    assert torch.equal(block(x), x.relu())


def test_classic_networks_are_encoders_by_name():
    encoder = image_encoder((4, 40, 40), "resnet-18")
    assert encoder.out_features == 512
    assert encoder(torch.zeros(2, 4, 40, 40, dtype=torch.uint8)).shape == (2, 512)
