"""Enlarging images: sizes against torch, the adjoint, and where checkerboards come from."""

import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nets.layers.images import conv_out
from nets.layers.upsampling import UpBlock, conv_transpose_out


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.double)


def ones_through(block, size=7):
    """The values that all-ones weights make of an all-ones image, its border left out."""
    for parameter in block.parameters():
        nn.init.constant_(parameter, float(parameter.dim() > 1))
    y = block(torch.ones(1, 1, size, size))[0, 0]
    return set(y[4:-4, 4:-4].unique().tolist())


def test_N_CNN_09_output_size_equals_torch_on_two_thousand_tuples():
    draw_int = random.Random(0).randint
    for _ in range(2_000):
        size, kernel, stride = draw_int(1, 20), draw_int(1, 9), draw_int(1, 6)
        dilation, padding = draw_int(1, 4), draw_int(0, 6)
        more = draw_int(0, max(stride, dilation) - 1)
        ours = conv_transpose_out(size, kernel, stride, padding, more, dilation)
        image, weight = (torch.empty(1, 1, n, device="meta") for n in (size, kernel))
        if ours >= 1:
            y = F.conv_transpose1d(image, weight, None, stride, padding, more, 1, dilation)
            assert ours == y.shape[-1]
        if more < stride and ours >= 1:
            assert conv_out(ours, kernel, stride, padding, dilation) == size


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(4, 2, 1), (3, 2, 1), (5, 3, 0)])
def test_N_CNN_09_transposed_convolution_is_the_adjoint(kernel, stride, padding):
    x = draw(2, 3, 12, 11)
    weight = draw(5, 3, kernel, kernel, seed=1)
    y = F.conv2d(x, weight, None, stride, padding)
    back = [conv_transpose_out(n, kernel, stride, padding) for n in y.shape[2:]]
    block = UpBlock(
        5,
        3,
        kernel,
        stride,
        padding=padding,
        output_padding=(12 - back[0], 11 - back[1]),
        activation=None,
    ).double()
    with torch.no_grad():
        block.conv.weight.copy_(weight)
        nn.init.zeros_(block.conv.bias)
    other = draw(*y.shape, seed=2)
    torch.testing.assert_close((y * other).sum(), (x * block(other)).sum(), rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({"kernel": 3, "padding": 1, "output_padding": 1}, {1.0, 2.0, 4.0}),
        ({"kernel": 4}, {4.0}),
        ({}, {4.0}),
        ({"mode": "nearest"}, {9.0}),
        ({"mode": "bilinear"}, {9.0}),
    ],
)
def test_N_CNN_10_overlap_is_even_where_the_stride_divides_the_kernel(options, values):
    assert ones_through(UpBlock(1, 1, activation=None, **options)) == values


@pytest.mark.parametrize("mode", ["transpose", "nearest", "bilinear"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("extra", [0, (1, 0)])
def test_every_mode_multiplies_the_size_by_the_stride(mode, stride, extra):
    if extra and stride == 1:
        extra = 0
    block = UpBlock(2, 5, None, stride, mode=mode, output_padding=extra, norm="batch")
    more = extra or (0, 0)
    expected = (4, 5, 6 * stride + more[0], 7 * stride + more[1])
    assert block(torch.randn(4, 2, 6, 7)).shape == expected
    assert block.out_channels == 5


def test_resizing_is_interpolation_then_convolution():
    block = UpBlock(2, 3, 5, 2, mode="nearest", activation=None)
    x = torch.randn(2, 2, 4, 3)
    doubled = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    expected = F.conv2d(doubled, block.conv.weight, block.conv.bias, padding=2)
    torch.testing.assert_close(block(x), expected)


def test_layers_are_norm_then_activation_and_a_cancelled_bias_is_left_out():
    block = UpBlock(2, 4, norm="batch", activation="leaky_relu")
    assert [type(layer).__name__ for layer in block] == [
        "ConvTranspose2d",
        "BatchNorm2d",
        "LeakyReLU",
    ]
    assert block.conv.bias is None
    assert UpBlock(2, 4, norm="group").conv.bias is not None
    assert len(UpBlock(2, 4, activation=None)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "cubic"}, "mode is 'cubic': expected one of 'transpose', 'nearest', 'bilinear'"),
        ({"kernel": 3}, "kernel is 3"),
        ({"kernel": 4, "mode": "nearest"}, "kernel is 4: without padding it must be odd"),
        ({"output_padding": 2}, "output_padding is 2: expected 0 to 1"),
    ],
)
def test_what_cannot_work_is_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        UpBlock(2, 3, **options)
