"""Sizes of pictures: what is computed beforehand is what torch makes, whatever the layers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from nets.layers.conv import CNN, SameConv2d
from nets.layers.images import conv_in, conv_out, sizes_out, smallest_size
from nets.layers.pooling import pool2d
from nets.layers.upsampling import UpBlock, conv_transpose_out
from nets.networks.decoders import ConvDecoder, ConvEncoder

PAIR = st.tuples(st.integers(1, 5), st.integers(1, 5))
POOLS = ("max", "mean", "stochastic", "median", "mixed", "lp")


def shape_of(network, *shape):
    """The shape of what comes out, with nothing computed."""
    return tuple(network.to("meta")(torch.empty(shape, device="meta")).shape)


@st.composite
def blocks(draw):
    """Options of a CNN of one to three blocks."""
    count = draw(st.integers(1, 3))
    padding = st.one_of(st.integers(0, 3), st.tuples(st.integers(0, 2), st.integers(0, 2)))
    each = {
        "kernels": st.one_of(st.integers(1, 5), PAIR),
        "strides": st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3))),
        "paddings": st.one_of(st.just("same"), padding),
        "pool": st.one_of(st.none(), st.sampled_from(POOLS)),
    }
    options = {
        name: draw(st.lists(of, min_size=count, max_size=count)) for name, of in each.items()
    }
    return {"channels": [2] * count, **options}


@given(blocks(), st.integers(0, 9), st.integers(0, 9))
def test_N_CNN_02_a_network_knows_its_shape_and_the_smallest_picture_it_takes(options, down, right):
    least = CNN((1, 999, 999), **options).min_size
    in_shape = (1, least[0] + down, least[1] + right)
    network = CNN(in_shape, **options)
    assert shape_of(network.blocks, 3, *in_shape) == (3, *network.out_shape)
    assert min(network.out_shape) >= 1
    for axis in (0, 1):
        size = list(least)
        size[axis] -= 1
        with pytest.raises(ValueError, match=r"too small for these layers|in_shape must be"):
            CNN((1, *size), **options)


@given(
    st.integers(1, 50),
    st.integers(1, 9),
    st.integers(1, 6),
    st.one_of(st.just("same"), st.integers(0, 6)),
    st.integers(1, 4),
)
def test_N_CNN_02_the_smallest_input_has_no_smaller_neighbour(size, kernel, stride, pad, dilation):
    window = (kernel, stride, pad, dilation)
    least = conv_in(size, *window)
    assert conv_out(least, *window) >= size
    assert least == 1 or conv_out(least - 1, *window) < size


@given(PAIR, st.integers(1, 4), st.tuples(st.integers(1, 20), st.integers(1, 20)))
def test_N_CNN_06_same_padding_divides_the_size_and_rounds_up(kernel, stride, size):
    expected = tuple(-(-length // stride) for length in size)
    assert shape_of(SameConv2d(1, 1, kernel, stride), 1, 1, *size)[2:] == expected


@given(st.sampled_from(POOLS), st.integers(1, 4), st.none() | st.integers(1, 4), PAIR)
def test_N_POOL_01_windows_of_every_pooling_are_counted_alike(name, kernel, stride, more):
    size = (kernel + more[0] - 1, kernel + more[1] - 1)
    layer = pool2d(name, kernel, stride).eval()
    assert shape_of(layer, 2, 3, *size)[2:] == sizes_out([layer], size)
    assert smallest_size([layer]) == (kernel, kernel)


@given(
    st.integers(1, 30), st.integers(1, 7), st.integers(1, 5), st.integers(0, 3), st.integers(0, 4),
    st.integers(1, 3),
)  # fmt: skip
def test_N_CNN_09_a_transposed_convolution_undoes_the_size(size, kernel, stride, pad, extra, gap):
    extra %= max(stride, gap)  # torch takes no more
    expected = conv_transpose_out(size, kernel, stride, pad, extra, gap)
    layer = nn.ConvTranspose2d(1, 1, kernel, stride, pad, extra, dilation=gap)
    if expected < 1:
        with pytest.raises(RuntimeError, match="too small"):
            shape_of(layer, 1, 1, size, size)
        return
    assert shape_of(layer, 1, 1, size, size) == (1, 1, expected, expected)
    if extra < stride:
        assert conv_out(expected, kernel, stride, pad, gap) == size


@given(
    st.sampled_from(("transpose", "nearest", "bilinear")),
    st.integers(1, 4),
    PAIR,
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_N_CNN_10_every_way_of_enlarging_makes_the_same_size(mode, stride, size, extra):
    extra = (extra[0] % stride, extra[1] % stride)
    block = UpBlock(2, 3, stride=stride, output_padding=extra, mode=mode)
    expected = (size[0] * stride + extra[0], size[1] * stride + extra[1])
    assert shape_of(block, 4, 2, *size) == (4, 3, *expected)


@given(st.integers(1, 4), st.integers(0, 30), st.integers(0, 30), st.integers(0, 1))
def test_G_AE_01_a_decoder_gives_back_every_shape_that_its_encoder_takes(
    layers, down, right, residual
):
    shape, channels = (2, 2**layers + down, 2**layers + right), (4,) * layers
    options = {"channels": channels, "hidden": (6,), "residual": residual}
    assert shape_of(ConvEncoder(shape, **options), 3, *shape) == (3, 6)
    assert shape_of(ConvDecoder(5, shape, **options), 3, 5) == (3, *shape)
