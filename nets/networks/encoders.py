"""Encoders of images that reinforcement learning uses: Nature, IMPALA, and one for boards."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from torch import Tensor, nn

from ..keywords import Keywords
from ..kinds import Count
from ..layers.conv import CNN, ConvBlock
from ..layers.images import check_shape, scaled, sizes_out
from ..layers.precision import Convolutions
from ..layers.residual import ResBlock
from ..registry import Registry
from ..settings import required
from .classic import CLASSIC, ClassicCNN, classic_encoder

ImageShape: TypeAlias = tuple[int, int, int]


class NatureCNN(nn.Module, Keywords):
    """The encoder of DQN: three convolutions, a dense layer, ReLU after each (N-ARC-09).

    Kernels 8, 4, 3 with strides 4, 2, 1 and 32, 64, 64 channels. Where these strides would pass
    over the last rows or columns (on 42x42 over 6 of each), zeros behind them let all be seen.
    Source: Mnih et al. 2015, "Human-level control through deep reinforcement learning".

    Args:
        in_shape: (C, H, W) of the images, at least 36x36.
        out_features: size of the output.

    Raises:
        ValueError: if the images are too small.
    """

    min_size = (36, 36)

    def __init__(self, in_shape: ImageShape, out_features: Count = 512) -> None:
        super().__init__()
        self.in_shape = channels, height, width = check_shape(in_shape, self.min_size)
        below, right = (36 - height) % 8, (36 - width) % 8  # strides fit 36 and every 8 more
        padded = channels, height + below, width + right
        self.pad = nn.ZeroPad2d((0, right, 0, below)) if below or right else nn.Identity()
        self.cnn = CNN(padded, (32, 64, 64), (8, 4, 3), (4, 2, 1), out_features=out_features)
        self.out_features = out_features

    def forward(self, images: Tensor) -> Tensor:
        """Map `images` `[B, C, H, W]`, uint8 or in [0, 1], to `[B, out_features]`."""
        return self.cnn(self.pad(scaled(images, self.in_shape, self.cnn.dtype))).relu()


class SmallCNN(nn.Module, Keywords):
    """A small encoder for boards of about 10x10: one convolution and a dense layer, with ReLU.

    16 kernels of 3x3. Source: Young and Tian 2019, "MinAtar".

    Args:
        in_shape: (C, H, W) of the images, at least 3x3.
        out_features: size of the output.

    Raises:
        ValueError: if the images are too small.
    """

    min_size = (3, 3)

    def __init__(self, in_shape: ImageShape, out_features: Count = 128) -> None:
        super().__init__()
        self.cnn = CNN(in_shape, (16,), 3, 1, out_features=out_features)
        self.out_features = out_features

    def forward(self, images: Tensor) -> Tensor:
        """Map `images` `[B, C, H, W]`, uint8, bool or in [0, 1], to `[B, out_features]`."""
        return self.cnn(images).relu()


class ImpalaCNN(nn.Module, Keywords):
    """The residual encoder of IMPALA: three sections and a dense layer (N-ARC-09).

    Each section is a 3x3 convolution, 3x3 max pooling with stride 2 and two residual blocks, with
    16, 32, 32 channels. Source: Espeholt et al. 2018, "IMPALA", the large architecture.

    Args:
        in_shape: (C, H, W) of the images; every size will do.
        out_features: size of the output.
    """

    min_size = (1, 1)

    def __init__(self, in_shape: ImageShape, out_features: Count = 256) -> None:
        super().__init__()
        self.in_shape = check_shape(in_shape, self.min_size)
        required("out_features", out_features, Count)
        sections: list[nn.Module] = []
        windows: list[nn.Module] = []
        before = in_shape[0]
        halve = partial(nn.MaxPool2d, 3, stride=2, padding=1)
        for channels in (16, 32, 32):
            block = ConvBlock(before, channels, 3, padding=1, activation=None, pool=halve)
            residual = partial(ResBlock, channels, norm=None, pre_activation=True)
            sections.append(nn.Sequential(block, residual(), residual()))
            windows += block.windows
            before = channels
        self.sections = Convolutions(*sections)
        height, width = sizes_out(windows, self.in_shape[1:])
        self.linear = nn.Linear(before * height * width, out_features)
        self.out_features = out_features

    def forward(self, images: Tensor) -> Tensor:
        """Map `images` `[B, C, H, W]`, uint8 or in [0, 1], to `[B, out_features]`."""
        dtype = self.sections.dtype or self.linear.weight.dtype
        images = scaled(images, self.in_shape, dtype)
        return self.linear(self.sections(images).relu().flatten(1)).relu()


ENCODERS: Registry[Callable[[ImageShape], NatureCNN | ImpalaCNN | SmallCNN]] = Registry(
    "image encoder",
    {"nature": NatureCNN, "impala": ImpalaCNN, "small-cnn": SmallCNN},
    aliases={"nature-cnn": "nature", "impala-cnn": "impala", "small": "small-cnn"},
)


def image_encoder(
    in_shape: ImageShape, name: str = "auto"
) -> NatureCNN | ImpalaCNN | SmallCNN | ClassicCNN:
    """Build an encoder of images by name, with its own number of features.

    Args:
        in_shape: (C, H, W) of the images.
        name: `"nature"`, `"impala"`, `"small-cnn"`, a name of `nets.classic_cnn`
            (see `nets.networks.classic.classic_encoder`), or `"auto"`:
            Nature from 36x36 up, the small one below.

    Raises:
        ValueError: if the name is unknown or the images are too small for the encoder.
    """
    if name == "auto":
        _, height, width = check_shape(in_shape, SmallCNN.min_size)
        fits = height >= NatureCNN.min_size[0] and width >= NatureCNN.min_size[1]
        name = "nature" if fits else "small-cnn"
    return classic_encoder(name, in_shape) if name in CLASSIC else ENCODERS[name](in_shape)
