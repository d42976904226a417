"""Encoders of data, and the decoders that mirror them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

from torch import Tensor, nn

from ..keywords import Keywords
from ..kinds import Upsampling
from ..layers.activations import ActivationSpec
from ..layers.conv import ConvBlock
from ..layers.images import check_shape, conv_out, scaled
from ..layers.mlp import MLP
from ..layers.norm import NormSpec
from ..layers.residual import ResBlock
from ..layers.upsampling import UpBlock

ImageShape: TypeAlias = tuple[int, int, int]


class MLPEncoder(nn.Module, Keywords):
    """Data of any shape, flattened, through hidden layers.

    Args:
        in_shape: of one datum.
        hidden: sizes of the layers; the last is the number of features.
        activation: see `nets.activation`.
    """

    def __init__(
        self, in_shape: Sequence[int], hidden: Sequence[int], *, activation: ActivationSpec = "relu"
    ) -> None:
        super().__init__()
        self.mlp = MLP(math.prod(in_shape), hidden, activation=activation)
        self.out_features = self.mlp.out_features

    def forward(self, x: Tensor) -> Tensor:
        """Map `x` `[B, *in_shape]` to `[B, out_features]`."""
        return self.mlp(x.flatten(1))


class MLPDecoder(nn.Module, Keywords):
    """Codes through the hidden layers of an `MLPEncoder` in reverse, to data of any shape.

    Args:
        in_features: size of a code.
        out_shape: of one datum.
        hidden: sizes of the encoder's layers.
        activation: see `nets.activation`.
    """

    def __init__(
        self,
        in_features: int,
        out_shape: Sequence[int],
        hidden: Sequence[int],
        *,
        activation: ActivationSpec = "relu",
    ) -> None:
        super().__init__()
        self.mlp = MLP(in_features, hidden[::-1], math.prod(out_shape), activation=activation)
        self.out_shape = tuple(out_shape)

    def forward(self, codes: Tensor) -> Tensor:
        """Map `codes` `[B, in_features]` to `[B, *out_shape]`."""
        return self.mlp(codes).view(-1, *self.out_shape)


class ConvEncoder(nn.Module, Keywords):
    """Convolutions of 4x4 that halve an image, residual blocks if wanted, then dense layers.

    Without residual blocks, with 4 times 32 channels and 256-256 units, it is the encoder of
    Burgess et al. (2018), "Understanding disentangling in β-VAE".

    Args:
        in_shape: (C, H, W) of the images.
        channels: of each convolution.
        hidden: sizes of the dense layers; the last is the number of features.
        activation: see `nets.activation`.
        norm: of convolutions and residual blocks, see `nets.layers.norm.norm`.
        residual: `ResBlock`s after each convolution.

    Raises:
        ValueError: if the images are too small to be halved so often.
    """

    def __init__(
        self,
        in_shape: ImageShape,
        channels: Sequence[int] = (32, 32, 32, 32),
        hidden: Sequence[int] = (256, 256),
        *,
        activation: ActivationSpec = "relu",
        norm: NormSpec = None,
        residual: int = 0,
    ) -> None:
        super().__init__()
        options: dict[str, Any] = {"activation": activation, "norm": norm}
        self.in_shape, last = _shapes(in_shape, channels)[:: len(channels)]
        blocks: list[nn.Module] = []
        for before, after in itertools.pairwise([self.in_shape[0], *channels]):
            blocks.append(ConvBlock(before, after, 4, 2, padding=1, **options))
            blocks += [ResBlock(after, **options) for _ in range(residual)]
        self.blocks = nn.Sequential(*blocks)
        self.mlp = MLP(math.prod(last), hidden, activation=activation)
        self.out_features = self.mlp.out_features

    def forward(self, images: Tensor) -> Tensor:
        """Map `images` `[B, C, H, W]`, uint8 or in [0, 1], to `[B, out_features]`."""
        dtype = next(self.parameters()).dtype
        return self.mlp(self.blocks(scaled(images, self.in_shape, dtype)).flatten(1))


class ConvDecoder(nn.Module, Keywords):
    """The layers of a `ConvEncoder` in reverse order: its shapes, exactly, for every image size.

    Args:
        in_features: size of a code.
        out_shape: (C, H, W) of the images.
        channels: of the encoder's convolutions.
        hidden: sizes of the encoder's dense layers.
        activation: see `nets.activation`; the output has none.
        norm: of all blocks but the last.
        residual: `ResBlock`s before each enlargement.
        mode: how images are enlarged, see `UpBlock`.

    Raises:
        ValueError: if the images are too small for the encoder.
    """

    def __init__(
        self,
        in_features: int,
        out_shape: ImageShape,
        channels: Sequence[int] = (32, 32, 32, 32),
        hidden: Sequence[int] = (256, 256),
        *,
        activation: ActivationSpec = "relu",
        norm: NormSpec = None,
        residual: int = 0,
        mode: Upsampling = "transpose",
    ) -> None:
        super().__init__()
        shapes = _shapes(out_shape, channels)[::-1]
        self.in_shape = shapes[0]
        self.mlp = MLP(
            in_features,
            hidden[::-1],
            math.prod(self.in_shape),
            activation=activation,
            out_activation=activation,
        )
        blocks: list[nn.Module] = []
        for (before, *size), (after, *target) in itertools.pairwise(shapes):
            last = len(blocks) == (residual + 1) * (len(channels) - 1)
            blocks += [ResBlock(before, activation=activation, norm=norm) for _ in range(residual)]
            blocks.append(
                UpBlock(
                    before,
                    after,
                    output_padding=(target[0] - 2 * size[0], target[1] - 2 * size[1]),
                    mode=mode,
                    activation=None if last else activation,
                    norm=None if last else norm,
                )
            )
        self.blocks = nn.Sequential(*blocks)

    def forward(self, codes: Tensor) -> Tensor:
        """Map `codes` `[B, in_features]` to `[B, *out_shape]`."""
        return self.blocks(self.mlp(codes).view(-1, *self.in_shape))


def _shapes(shape: ImageShape, channels: Sequence[int]) -> list[ImageShape]:
    """Return the shapes before and after each convolution of 4x4, stride 2 and padding 1."""
    if not channels:
        raise ValueError("channels must name at least one convolution")
    shapes = [check_shape(shape, (2 ** len(channels),) * 2)]
    for count in channels:
        _, height, width = shapes[-1]
        shapes.append((count, conv_out(height, 4, 2, 1), conv_out(width, 4, 2, 1)))
    return shapes
