"""The classic convolutional networks by name (curriculum N-ARC-01 to N-ARC-08).

AlexNet, VGG, GoogLeNet, ResNet and DenseNet, with the layers and, to the last one, the number of
parameters that are known: classifiers of 224x224 pictures, or encoders of any that are not too
small.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..keywords import Keywords
from ..layers.conv import ConvBlock
from ..layers.densenet import BLOCKS as DENSENETS
from ..layers.densenet import densenet
from ..layers.images import scaled
from ..layers.inception import OUT_CHANNELS, Auxiliaries, GoogLeNetFeatures
from ..layers.residual import BLOCKS as RESNETS
from ..layers.residual import resnet
from ..registry import Registry
from .pretrained import load_torchvision

Features = tuple[nn.Module, int]
"""A network from pictures to feature maps or vectors, and the number of features."""

VGG = {
    11: ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    13: ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    16: ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3),
    19: ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4),
}
"""Channels of the 3x3 convolutions between two poolings."""
LARGEST_MINIMUM = 256
CHANNELS_PER_GROUP = 16  # or more: a group must not be a single number where maps are 1x1


class ClassicCNN(nn.Module, Keywords):
    """Feature maps, a vector of them, and a linear classifier if there are classes.

    Args:
        in_shape: (C, H, W) of the pictures.
        features: from `[B, C, H, W]` to maps `[B, F, H', W']`, averaged then, or to `[B, F]`.
        out_features: F.
        num_classes: K of the classifier; 0 for none.

    Attributes:
        out_features: size of the output, K or F.
    """

    def __init__(
        self,
        in_shape: tuple[int, int, int],
        features: nn.Module,
        out_features: int,
        num_classes: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.in_shape = in_shape
        self.normalise: nn.Module = nn.Identity()
        self.features = features
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(out_features, num_classes) if num_classes else nn.Identity()
        self.out_features = num_classes or out_features

    def forward(self, images: Tensor) -> Tensor:
        """Map pictures `[B, C, H, W]`, uint8 or in [0, 1], to `[B, out_features]`."""
        dtype = next(self.features.parameters()).dtype
        return self.head(self.features(self.normalise(scaled(images, self.in_shape, dtype))))

    def head(self, x: Tensor) -> Tensor:
        """Map feature maps `[B, F, H', W']`, or vectors `[B, F]`, to the output."""
        vector = x.mean((2, 3)) if x.dim() == 4 else x
        return self.classifier(self.dropout(vector))


class GoogLeNet(ClassicCNN):
    """GoogLeNet with auxiliary classifiers, whose logits it gives too while training."""

    features: GoogLeNetFeatures

    def forward(self, images: Tensor) -> Any:
        """Map pictures to logits `[B, K]`; in training to `Auxiliaries`."""
        if not self.training:
            return super().forward(images)
        dtype = next(self.features.parameters()).dtype
        images = self.normalise(scaled(images, self.in_shape, dtype))
        x, (early, late) = self.features.with_auxiliaries(images)
        return Auxiliaries(self.head(x), late, early)


def _alexnet(in_channels: int) -> Features:
    """Build the single-tower variant (Krizhevsky, 2014)."""
    sizes = (64, 192, 384, 256, 256)
    half = partial(nn.MaxPool2d, 3, 2)
    blocks = [
        ConvBlock(in_channels, sizes[0], 11, 4, padding=2, pool=half),
        ConvBlock(sizes[0], sizes[1], 5, padding=2, pool=half),
        ConvBlock(sizes[1], sizes[2], 3, padding=1),
        ConvBlock(sizes[2], sizes[3], 3, padding=1),
        ConvBlock(sizes[3], sizes[4], 3, padding=1, pool=half),
    ]
    dense = [
        *(nn.Dropout(0.5), nn.Linear(sizes[-1] * 36, 4096), nn.ReLU()),
        *(nn.Dropout(0.5), nn.Linear(4096, 4096), nn.ReLU()),
    ]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(6), nn.Flatten(), *dense), 4096


def _vgg(in_channels: int, *, stages: Sequence[Sequence[int]], norm: str | None = None) -> Features:
    """Build stacks of 3x3 convolutions (Simonyan & Zisserman, 2015)."""
    sizes = [in_channels, *(size for stage in stages for size in stage)]
    lasts = {sum(map(len, stages[: k + 1])) - 1 for k in range(len(stages))}
    blocks = [
        ConvBlock(before, after, 3, padding=1, norm=norm, pool="max" if k in lasts else None)
        for k, (before, after) in enumerate(pairwise(sizes))
    ]
    if norm is not None:
        _give_bias(blocks)
    dense = [
        *(nn.Linear(sizes[-1] * 49, 4096), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5)),
    ]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(7), nn.Flatten(), *dense), 4096


def _give_bias(blocks: Sequence[ConvBlock]) -> None:
    """VGG with batch norm has biases that the norm cancels; the known counts include them."""
    for block in blocks:
        block.conv.bias = nn.Parameter(torch.zeros(block.conv.out_channels))


def _googlenet(in_channels: int, **options: Any) -> Features:
    return GoogLeNetFeatures(in_channels, **options), OUT_CHANNELS


CLASSIC: Registry[Callable[..., Features]] = Registry(
    "classic network",
    {
        "alexnet": _alexnet,
        **{f"vgg-{depth}": partial(_vgg, stages=stages) for depth, stages in VGG.items()},
        **{
            f"vgg-{depth}-bn": partial(_vgg, stages=stages, norm="batch")
            for depth, stages in VGG.items()
        },
        "googlenet": _googlenet,
        **{f"resnet-{depth}": partial(resnet, depth) for depth in RESNETS},
        **{f"densenet-{depth}": partial(densenet, depth) for depth in DENSENETS},
    },
)


def classic_cnn(
    name: str,
    in_shape: tuple[int, int, int] = (3, 224, 224),
    num_classes: int = 1000,
    *,
    weights: str | Path | None = None,
    **options: Any,
) -> ClassicCNN:
    """Build a classic network by name.

    Args:
        name: `alexnet`, `vgg-11` to `vgg-19` (also `-bn`), `googlenet`, `resnet-18` to
            `resnet-101`, `densenet-121` to `densenet-201`.
        in_shape: (C, H, W) of the pictures.
        num_classes: K of the classifier; 0 gives features instead of logits.
        weights: torchvision's, by their name there (`DEFAULT`, `IMAGENET1K_V1`) or as a file; see
            `pretrained.load_torchvision`. A classifier of other than their classes is new.
        options: of GoogLeNet: `kernel5` (5, or torchvision's 3), `norm` (`"batch"`, or None as in
            the paper) and `auxiliary` (whether it has auxiliary classifiers).

    Raises:
        ValueError: if the name is unknown, the weights do not fit, or the pictures are too small;
            the message names the smallest ones.
        ImportError: if there are to be weights and torchvision is not installed.
    """
    auxiliary = bool(options.pop("auxiliary", False))
    if auxiliary:
        options["auxiliary"] = num_classes
    kind = CLASSIC.canonical(name)
    if weights is not None and kind == "googlenet":
        options.setdefault("kernel5", 3)
    features, size = CLASSIC[kind](in_shape[0], **options)
    if not _fits(features, in_shape):
        sizes = range(1, LARGEST_MINIMUM)
        smallest = sizes[
            bisect_left(sizes, True, key=lambda size: _fits(features, (in_shape[0], size, size)))
        ]
        raise ValueError(
            f"images of {in_shape[1]}x{in_shape[2]} (height x width) are too small for {kind}: "
            f"it needs at least {smallest}x{smallest}"
        )
    network = GoogLeNet if auxiliary else ClassicCNN
    dropout = 0.4 if kind == "googlenet" else 0.0
    built = network(in_shape, features, size, num_classes, dropout)
    if weights is not None:
        load_torchvision(built, kind, weights)
    return built


def classic_encoder(name: str, in_shape: tuple[int, int, int]) -> ClassicCNN:
    """Build a classic network as an encoder of agents and autoencoders.

    It computes the same in training and in evaluation: an agent acts on one observation at a time,
    learns from many, and compares both. In the place of batch norm stands group norm, with as many
    parameters (Wu & He, 2018), and dropout is left out.

    Args:
        name: see `classic_cnn`.
        in_shape: (C, H, W) of the pictures.

    Raises:
        ValueError: if the name is unknown, or the pictures are too small.
    """
    network = classic_cnn(name, in_shape, 0)
    for place, module in list(network.named_modules()):
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            channels = module.num_features
            groups = math.gcd(channels, max(channels // CHANNELS_PER_GROUP, 1))
            normalise = nn.GroupNorm(groups, channels, module.eps, device=module.weight.device)
            network.set_submodule(place, normalise)
        elif isinstance(module, nn.Dropout):
            network.set_submodule(place, nn.Identity())
    return network


def _fits(features: nn.Module, shape: tuple[int, int, int]) -> bool:
    """Whether the layers take pictures of `shape`: tried without computing anything."""
    from torch.func import functional_call

    tensors = [*features.named_parameters(), *features.named_buffers()]
    meta = {key: tensor.detach().to("meta") for key, tensor in tensors}
    training = features.training
    try:
        features.eval()
        functional_call(features, meta, torch.empty(1, *shape, device="meta"))
    except RuntimeError:
        return False
    finally:
        features.train(training)
    return True
