"""Convolutions against SciPy, unfolded matrices and layers written by hand."""

import random
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.signal import convolve2d, correlate2d
from torch import nn

from nets.layers.conv import CNN, ConvBlock, SameConv2d
from nets.layers.images import conv_in, conv_out, scaled, sizes_out, smallest_size


def draw(*shape, seed=0, **options):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), **options)


def plain_conv(weight, bias=None, **options):
    block = ConvBlock(weight.shape[1], weight.shape[0], weight.shape[2], activation=None, **options)
    with torch.no_grad():
        block.conv.weight.copy_(weight)
        block.conv.bias.copy_(torch.zeros(len(weight)) if bias is None else bias)
    return block


def test_N_CNN_01_convolution_is_cross_correlation():
    image, kernel = draw(9, 8), draw(3, 3, seed=1)
    ours = plain_conv(kernel[None, None])(image[None, None])[0, 0].detach()
    np.testing.assert_allclose(ours, correlate2d(image, kernel, mode="valid"), atol=1e-5)
    flipped = convolve2d(image, kernel.flip(0, 1), mode="valid")
    np.testing.assert_allclose(ours, flipped, atol=1e-5)
    assert not np.allclose(ours, convolve2d(image, kernel, mode="valid"), atol=0.1)


def test_N_CNN_02_output_size_equals_torch_on_ten_thousand_tuples():
    draw_int = random.Random(0).randint
    weights = {kernel: torch.empty(1, 1, kernel, device="meta") for kernel in range(1, 10)}
    refused = 0
    for _ in range(10_000):
        size, kernel, stride = draw_int(1, 40), draw_int(1, 9), draw_int(1, 6)
        padding, dilation = draw_int(0, 6), draw_int(1, 4)
        ours = conv_out(size, kernel, stride, padding, dilation)
        image = torch.empty(1, 1, size, device="meta")
        try:
            y = F.conv1d(image, weights[kernel], None, stride, padding, dilation)
        except RuntimeError:  # the window does not fit
            assert ours < 1
            refused += 1
        else:
            assert ours == y.shape[-1]
    assert 100 < refused < 5_000


@pytest.mark.parametrize("padding", [0, 1, 3, "same"])
def test_N_CNN_02_smallest_input_inverts_the_output_size(padding):
    for kernel, stride, size in np.ndindex(7, 5, 9):
        window = (kernel + 1, stride + 1, padding)
        least = conv_in(size + 1, *window)
        assert conv_out(least, *window) >= size + 1
        assert least == 1 or conv_out(least - 1, *window) < size + 1


def test_N_CNN_03_kernels_reach_through_all_channels():
    block = ConvBlock(3, 5, 4)
    assert block.conv.weight.shape == (5, 3, 4, 4)
    assert sum(p.numel() for p in block.parameters()) == 5 * (3 * 4**2 + 1)
    weight, bias, image = draw(5, 3, 4, 4), draw(5, seed=1), draw(1, 3, 7, 9, seed=2)
    ours = plain_conv(weight, bias)(image)[0].detach()
    assert ours.shape == (5, 4, 6)
    for k in range(5):
        summed = sum(correlate2d(image[0, c], weight[k, c], mode="valid") for c in range(3))
        np.testing.assert_allclose(ours[k], summed + bias[k].item(), atol=1e-5)


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 0), (2, 1), (3, 2)])
def test_N_CNN_04_convolution_is_a_local_linear_map_with_shared_weights(stride, padding):
    weight, image = draw(2, 3, 3, 3), draw(4, 3, 8, 7, seed=1)
    block = plain_conv(weight, stride=stride, padding=padding)
    ours = block(image).flatten(2)  # [B, K, L]
    patches = F.unfold(image, 3, stride=stride, padding=padding)  # [B, 27, L]
    torch.testing.assert_close(ours, weight.flatten(1) @ patches, rtol=0, atol=1e-5)

    matrix = torch.autograd.functional.jacobian(block, torch.zeros(1, 3, 8, 7))
    rows = matrix.reshape(ours.shape[1] * ours.shape[2], 3 * 8 * 7)  # the Toeplitz matrix
    assert ((rows != 0).sum(1) <= 27).all()  # local
    assert set(rows.unique().tolist()) <= {0.0, *weight.unique().tolist()}  # shared


def test_N_CNN_05_gradients_are_correlation_and_full_convolution():
    weight, image = draw(1, 1, 3, 3, dtype=torch.float64), draw(1, 1, 6, 7, dtype=torch.float64)
    block = plain_conv(weight).double()
    image.requires_grad_()
    y = block(image)
    delta = draw(*y.shape, seed=2, dtype=torch.float64)
    y.backward(delta)
    by_scipy = correlate2d(image.detach()[0, 0], delta[0, 0], mode="valid")
    np.testing.assert_allclose(block.conv.weight.grad[0, 0], by_scipy, atol=1e-12)
    full = convolve2d(delta[0, 0], block.conv.weight.detach()[0, 0], mode="full")
    np.testing.assert_allclose(image.grad[0, 0], full, atol=1e-12)
    np.testing.assert_allclose(block.conv.bias.grad.item(), delta.sum().item(), atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_N_CNN_05_gradients_of_many_channels_equal_torchs_functions(stride):
    weight, image = draw(4, 3, 3, 3), draw(2, 3, 9, 8, seed=1).requires_grad_()
    block = plain_conv(weight, stride=stride, padding=1)
    y = block(image)
    delta = draw(*y.shape, seed=2)
    y.backward(delta)
    options = {"stride": stride, "padding": 1}
    by_weight = torch.nn.grad.conv2d_weight(image.detach(), weight.shape, delta, **options)
    by_input = torch.nn.grad.conv2d_input(image.shape, weight, delta, **options)
    torch.testing.assert_close(block.conv.weight.grad, by_weight)
    torch.testing.assert_close(image.grad, by_input)


def same_by_definition(image, kernel, stride):
    """TensorFlow's SAME, entry by entry: zeros outside, the odd one at the end."""
    out = [-(-length // stride) for length in image.shape]
    before = [
        max(0, (n - 1) * stride + k - length) // 2
        for n, k, length in zip(out, kernel.shape, image.shape, strict=True)
    ]
    y = np.zeros(out)
    for i, j, u, v in np.ndindex(*out, *kernel.shape):
        row, column = i * stride + u - before[0], j * stride + v - before[1]
        if 0 <= row < image.shape[0] and 0 <= column < image.shape[1]:
            y[i, j] += image[row, column] * kernel[u, v]
    return y


@pytest.mark.parametrize("size", [(1, 1), (5, 8), (7, 6), (10, 5)])
@pytest.mark.parametrize("kernel", [(1, 1), (2, 2), (3, 3), (4, 5)])
@pytest.mark.parametrize("stride", [1, 2, 3, 5])
def test_N_CNN_06_same_padding(size, kernel, stride):
    image, weight = draw(*size), draw(*kernel, seed=1)
    layer = SameConv2d(1, 1, kernel, stride)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.fill_(0.5)
    ours = layer(image[None, None])[0, 0].detach().numpy()
    assert ours.shape == tuple(-(-length // stride) for length in size)
    assert ours.shape == sizes_out([layer], size)
    expected = same_by_definition(image.numpy(), weight.numpy(), stride) + 0.5
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    if stride == 1 and all(length % 2 for length in kernel):
        torchs = F.conv2d(image[None, None], weight[None, None], layer.bias, padding="same")
        np.testing.assert_allclose(ours, torchs[0, 0].detach(), atol=1e-5)


def test_block_equals_the_layers_written_by_hand():
    torch.manual_seed(0)
    ours = ConvBlock(
        3, 4, 3, 2, padding=1, activation="tanh", norm="batch", pool="max", dropout=0.5
    )
    torch.manual_seed(0)
    by_hand = nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1, bias=False),
        nn.BatchNorm2d(4),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Dropout(0.5),
    )
    image = draw(6, 3, 12, 12, seed=1)
    outputs = []
    for net in (ours, by_hand):
        torch.manual_seed(1)
        outputs.append((net(image), net.eval()(image)))
    assert torch.equal(outputs[0][0], outputs[1][0])
    assert torch.equal(outputs[0][1], outputs[1][1])
    assert not torch.equal(outputs[0][0], outputs[0][1])


def test_block_keeps_a_bias_that_no_norm_cancels():
    assert ConvBlock(1, 2, 3, norm="batch").conv.bias is None
    assert ConvBlock(1, 2, 3, norm="instance").conv.bias is None
    assert ConvBlock(1, 2, 3, norm="layer").conv.bias is not None
    assert ConvBlock(1, 2, 3, norm=None).conv.bias is not None


def test_state_dict_names_the_parts():
    keys = list(ConvBlock(1, 2, 3, norm="layer", pool="mean", dropout=0.1).state_dict())
    assert keys == ["conv.weight", "conv.bias", "norm.weight", "norm.bias"]


def test_cnn_equals_the_layers_written_by_hand():
    torch.manual_seed(0)
    ours = CNN((2, 11, 9), [4, 6], [3, (2, 3)], [1, 2], paddings=["same", 0], out_features=5)
    torch.manual_seed(0)
    by_hand = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding="same"),
        nn.ReLU(),
        nn.Conv2d(4, 6, (2, 3), 2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * 5 * 4, 5),
    )
    image = draw(3, 2, 11, 9)
    torch.testing.assert_close(ours(image), by_hand(image))
    assert (ours.out_shape, ours.out_features) == ((6, 5, 4), 5)


def test_cnn_takes_one_option_per_block():
    cnn = CNN(
        (1, 16, 16),
        [2, 3],
        3,
        1,
        paddings=1,
        activation=["tanh", None],
        norm=[None, "batch"],
        pool=[nn.AvgPool2d(3, 2, 1), partial(nn.MaxPool2d, 4)],
        dropout=[0.0, 0.25],
    )
    first, second = cnn.blocks
    assert [type(layer) for layer in first] == [nn.Conv2d, nn.Tanh, nn.AvgPool2d]
    assert [name for name, _ in second.named_children()] == ["conv", "norm", "pool", "dropout"]
    assert cnn.out_features == cnn(draw(2, 1, 16, 16)).shape[1] == 3 * 2 * 2
    pool = nn.MaxPool2d(2)
    first, second = CNN((1, 16, 16), [2, 3], 3, 1, pool=pool).blocks
    assert len({id(pool), id(first.pool), id(second.pool)}) == 3
    with pytest.raises(ValueError, match="kernel needs one entry for each of 2"):
        CNN((1, 16, 16), [2, 3], [3, 3, 3], 1)


@pytest.mark.parametrize("seed", range(40))
def test_minimum_size_is_exact(seed):
    choose = random.Random(seed)
    depth = choose.randint(1, 4)
    pools = [None, "max", partial(nn.MaxPool2d, 3, 2, 1), partial(nn.MaxPool2d, 2, dilation=2)]
    options = {
        "channels": [1] * depth,
        "kernels": [(choose.randint(2, 5), choose.randint(2, 6)) for _ in range(depth)],
        "strides": [choose.randint(1, 3) for _ in range(depth)],
        "paddings": [choose.choice([0, 0, 1, "same"]) for _ in range(depth)],
        "pool": [choose.choice(pools) for _ in range(depth)],
    }
    height, width = CNN((1, 2000, 2000), **options).min_size
    blocks = CNN((1, height, width), **options).blocks
    windows = [layer for block in blocks for layer in block.windows]
    assert smallest_size(windows) == (height, width)
    assert blocks(torch.zeros(1, 1, height, width)).numel() >= 1
    for smaller in {(height - 1, width), (height, width - 1)}:
        if 0 in smaller:
            continue
        with pytest.raises(ValueError, match=f"need at least {height}x{width}$"):
            CNN((1, *smaller), **options)
        with pytest.raises(RuntimeError, match="size"):
            blocks(torch.zeros(1, 1, *smaller))


@pytest.mark.parametrize("size", [6, 40])
def test_pixels_are_scaled_and_floats_left_alone(size):
    cnn = CNN((3, size, size), [4], 3, 1)
    pixels = torch.randint(0, 256, (5, 3, size, size), dtype=torch.uint8)
    before = pixels.clone()
    from_pixels = cnn(pixels)
    torch.testing.assert_close(from_pixels, cnn(pixels.float() / 255))
    assert not torch.allclose(from_pixels, cnn(pixels.float()), atol=0.1)
    assert torch.equal(pixels, before)
    torch.testing.assert_close(cnn(pixels > 127), cnn((pixels > 127).float()))
    double = cnn.double()
    torch.testing.assert_close(double(pixels), double(pixels.double() / 255), rtol=0, atol=1e-12)


def test_memory_layout_changes_speed_alone():
    cnn = CNN((3, 40, 36), [4, 5], 3, 2)
    image = draw(2, 3, 40, 36)
    layout = scaled(image, (3, 40, 36), torch.float32)
    assert torch.equal(layout, image)
    assert layout.is_contiguous(memory_format=torch.channels_last)
    blocks = cnn.blocks(image).flatten(1)
    torch.testing.assert_close(cnn(image), blocks)
    torch.testing.assert_close(cnn(image.contiguous(memory_format=torch.channels_last)), blocks)


def test_training_step_on_the_meta_device():
    cnn = CNN((3, 40, 40), [4], 3, 2, norm="batch", paddings="same", out_features=7).to("meta")
    y = cnn(torch.empty(5, 3, 40, 40, dtype=torch.uint8, device="meta"))
    assert y.shape == (5, 7)
    y.sum().backward()
    assert cnn.blocks[0].conv.weight.grad.is_meta


def test_errors_say_what_was_expected():
    cnn = CNN((3, 8, 8), [4], 3, 1)
    with pytest.raises(ValueError, match=r"\[B, 3, 8, 8\], got \[2, 8, 8, 3\]"):
        cnn(torch.zeros(2, 8, 8, 3))
    with pytest.raises(ValueError, match=r"channels come first, as in images\.permute\(0, 3, 1, 2"):
        cnn(torch.zeros(2, 8, 8, 3))
    with pytest.raises(ValueError, match=r"got \[3, 8, 8\]: one image is a batch of one"):
        cnn(torch.zeros(3, 8, 8))
    with pytest.raises(TypeError, match="images is an ndarray: expected a tensor"):
        cnn(np.zeros((2, 3, 8, 8), np.float32))
    with pytest.raises(TypeError, match=r"uint8, bool or float, got torch\.int64"):
        cnn(torch.zeros(2, 3, 8, 8, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"\(channels, height, width\), got \(8, 8\)"):
        CNN((8, 8), [4], 3, 1)
    with pytest.raises(ValueError, match="at least one block"):
        CNN((3, 8, 8), [], 3, 1)
    with pytest.raises(ValueError, match=r"padding is 'valid': expected .* 'same'"):
        ConvBlock(1, 1, 3, padding="valid")
    with pytest.raises(ValueError, match="dropout must be in"):
        ConvBlock(1, 1, 3, dropout=1.0)
    with pytest.raises(ValueError, match="did you mean 'mean'"):
        ConvBlock(1, 1, 3, pool="means")
    with pytest.raises(TypeError, match="kernel_size, stride and padding"):
        CNN((3, 8, 8), [4], 3, 1, pool=nn.Identity)
    with pytest.raises(ValueError, match="ceil_mode"):
        CNN((3, 8, 8), [4], 3, 1, pool=nn.MaxPool2d(2, ceil_mode=True))
