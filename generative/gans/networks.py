"""Networks of adversarial models: generators and discriminators of vectors and of pictures.

A generator maps noise `[B, L]` to data `[B, ...]`, pictures in [−1, 1]; a discriminator maps data
to one number a row, `[B]`. A class is given to either as further channels of its input.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from nets.kinds import Upsampling
from nets.layers.conv import ConvBlock
from nets.layers.mlp import MLP
from nets.layers.norm import NormSpec
from nets.layers.upsampling import UpBlock

ImageShape = tuple[int, int, int]

SMALLEST = 4  # pixels of the shorter side, where a generator starts and a discriminator ends
MOST_HALVINGS = 5  # of 128 pixels; larger pictures start and end larger


@dataclass(frozen=True)
class Sizes:
    """What networks are built for.

    Attributes:
        noise: size of the generator's noise, L.
        shape: of a datum: `(C, H, W)` for pictures, `(D,)` for vectors.
        classes: of which both networks are told one, K; 0 where they are told none.
    """

    noise: int
    shape: tuple[int, ...]
    classes: int = 0


class Networks(NamedTuple):
    """The two sides of a game."""

    generator: nn.Module
    discriminator: nn.Module


def dense_networks(sizes: Sizes, hidden: Sequence[int]) -> Networks:
    """Build dense layers for flat data: vectors, or pictures whose generator ends in tanh.

    Args:
        sizes: of noise and data.
        hidden: sizes of the dense layers of either network.
    """
    features, bounded = math.prod(sizes.shape), len(sizes.shape) == 3
    return Networks(
        MLP(
            sizes.noise + sizes.classes,
            hidden,
            features,
            out_activation="tanh" if bounded else None,
        ),
        mlp_discriminator(features + sizes.classes, hidden),
    )


def mlp_discriminator(in_features: int, hidden: Sequence[int]) -> nn.Module:
    """Build dense layers from vectors `[B, in_features]` to `[B]`."""
    layers = MLP(in_features, hidden, 1, activation=nn.LeakyReLU(0.2))
    return nn.Sequential(layers, nn.Flatten(0))


def conv_networks(
    sizes: Sizes, base_filters: int, mode: Upsampling = "transpose", *, norm: NormSpec = "batch"
) -> Networks:
    """Build DCGAN's networks, their weights drawn as there, curriculum G-GAN-05.

    Args:
        sizes: of noise and pictures.
        base_filters: channels at half the picture's size; each halving doubles them.
        mode: transposed convolution, or resizing before a convolution, see `UpBlock`.
        norm: of the discriminator: `"batch"`; None for a Wasserstein critic.

    Raises:
        ValueError: if a side of the pictures is shorter than 4 pixels.
    """
    channels, height, width = sizes.shape
    image, classes = (channels, height, width), sizes.classes
    networks = Networks(
        conv_generator(sizes.noise + classes, image, base_filters, mode),
        conv_discriminator(image, base_filters, norm=norm, extra_channels=classes),
    )
    for network in networks:
        dcgan_init_(network)
    return networks


def conv_generator(
    in_features: int, out_shape: ImageShape, base_filters: int, mode: Upsampling
) -> nn.Module:
    """Build DCGAN's generator: noise to 4x4, doubled until the picture is there,
    curriculum G-GAN-05.

    Other pictures than squares of a power of two begin at what the discriminator ends at, and where
    a side is odd, its doubling adds a pixel. Batch norm and ReLU after each layer but the last,
    tanh there; no biases. Source: Radford, Metz & Chintala (2016).
    """
    sizes = halved(out_shape)[::-1]
    channels = _widths(out_shape, base_filters)[::-1]
    odd = [
        (height - 2 * low, width - 2 * narrow)
        for (low, narrow), (height, width) in itertools.pairwise(sizes)
    ]
    first = UpBlock(in_features, channels[0], sizes[0], 1, padding=0, norm="batch")
    middle = [
        UpBlock(before, after, mode=mode, norm="batch", output_padding=more)
        for (before, after), more in zip(itertools.pairwise(channels), odd, strict=False)
    ]
    last = UpBlock(channels[-1], out_shape[0], mode=mode, activation="tanh", output_padding=odd[-1])
    return nn.Sequential(nn.Unflatten(1, (in_features, 1, 1)), first, *middle, _unbiased(last))


def conv_discriminator(
    in_shape: ImageShape, base_filters: int, *, norm: NormSpec, extra_channels: int
) -> nn.Module:
    """Build DCGAN's discriminator: 4x4 convolutions halve the picture down to 4x4,
    curriculum G-GAN-05; others until the shorter side has 4 to 7 pixels, or five times.

    Leaky ReLU of slope 0.2. The norm stands in the layers between; where there is one, no layer
    has biases.
    """
    channels = _widths(in_shape, base_filters)
    leaky = nn.LeakyReLU(0.2)
    first = ConvBlock(in_shape[0] + extra_channels, channels[0], 4, 2, padding=1, activation=leaky)
    middle = [
        ConvBlock(before, after, 4, 2, padding=1, norm=norm, activation=leaky)
        for before, after in itertools.pairwise(channels)
    ]
    last = ConvBlock(channels[-1], 1, halved(in_shape)[-1], activation=None)
    ends = [first, last] if norm is None else [_unbiased(first), _unbiased(last)]
    return nn.Sequential(ends[0], *middle, ends[1], nn.Flatten(0))


def dcgan_init_(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02²), scales of batch norm from N(1, 0.02²), curriculum G-GAN-05."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)


def spectral_norm_(network: nn.Module) -> None:
    """Divide each weight by its largest singular value, Miyato et al. (2018), curriculum G-GAN-09.

    Dense layers then have slopes of at most 1. A kernel counts as the matrix `[out, in·h·w]`, which
    bounds its slope up to a factor of √(h·w).
    """
    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            parametrizations.spectral_norm(layer)


def with_label(x: Tensor, label: Tensor | None, num_classes: int) -> Tensor:
    """Append the one-hot class as channels, Mirza & Osindero (2014).

    Args:
        x: `[B, C, ...]`.
        label: `[B]` int64 in 0..K-1; None appends nothing.
        num_classes: K.

    Returns:
        `[B, C + K, ...]`.
    """
    if label is None:
        return x
    classes = torch.arange(num_classes, device=label.device)  # as F.one_hot, which no export knows
    channels = (label[:, None] == classes).to(x.dtype)  # [B, K]
    channels = channels.view(*channels.shape, *[1] * (x.dim() - 2))
    return torch.cat([x, channels.expand(-1, -1, *x.shape[2:])], dim=1)


def halved(shape: ImageShape) -> list[tuple[int, int]]:
    """Return the sizes `(H, W)` of a picture and its halves, those of odd sides rounded down.

    Raises:
        ValueError: a side is shorter than 4 pixels.
    """
    _, height, width = shape
    if min(height, width) < SMALLEST:
        message = f"pictures are {height}x{width}: expected sides of {SMALLEST} pixels or more"
        raise ValueError(f"{message}; `size` of load_dataset makes them so")
    halvings = (min(height, width) // SMALLEST).bit_length() - 1
    halvings = min(max(1, halvings), MOST_HALVINGS)
    return [(height >> k, width >> k) for k in range(halvings + 1)]


def _widths(shape: ImageShape, base_filters: int) -> list[int]:
    """Return the channels at the halves of a picture."""
    return [base_filters * 2**k for k in range(len(halved(shape)) - 1)]


def _unbiased(block: ConvBlock | UpBlock) -> nn.Module:
    """Take the bias from the convolution of `block`."""
    block.conv.bias = None
    return block
