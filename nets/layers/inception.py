"""Inception: four views of the same pixels, side by side (curriculum N-ARC-03, N-ARC-04)."""

from __future__ import annotations

from functools import partial
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from ..arguments import checked
from ..keywords import Keywords
from ..kinds import Count
from .chain import Chain
from .conv import ConvBlock
from .norm import NormSpec

Kernel5 = Literal[3, 5]

_MODULES = {  # channels in, 1x1, (reduction, 3x3), (reduction, 5x5), after pooling
    "3a": (192, 64, (96, 128), (16, 32), 32),
    "3b": (256, 128, (128, 192), (32, 96), 64),
    "4a": (480, 192, (96, 208), (16, 48), 64),
    "4b": (512, 160, (112, 224), (24, 64), 64),
    "4c": (512, 128, (128, 256), (24, 64), 64),
    "4d": (512, 112, (144, 288), (32, 64), 64),
    "4e": (528, 256, (160, 320), (32, 128), 128),
    "5a": (832, 256, (160, 320), (32, 128), 128),
    "5b": (832, 384, (192, 384), (48, 128), 128),
}
OUT_CHANNELS = 1024
AUXILIARY = {"4a": 512, "4d": 528}
"""After which modules an auxiliary classifier looks on, and at how many channels."""


class Inception(nn.Module, Keywords):
    """1x1; 1x1 → 3x3; 1x1 → 5x5; 3x3 max pooling → 1x1: concatenated by channels (N-ARC-04).

    Stride 1 and padding keep the picture's size. Szegedy et al. (2015).

    Args:
        in_channels: channels of the input.
        single: channels of the 1x1 branch.
        triple: channels of the second branch, reduced and after its 3x3 convolution.
        quintuple: channels of the third branch, reduced and after its 5x5 convolution.
        pooled: channels of the last branch.
        kernel5: 5, or 3 for what torchvision has in that place.
        norm: see `nets.layers.norm.norm`, after each convolution; None as in the paper.
    """

    @checked
    def __init__(
        self,
        in_channels: Count,
        single: Count,
        triple: tuple[int, int],
        quintuple: tuple[int, int],
        pooled: Count,
        *,
        kernel5: Kernel5 = 5,
        norm: NormSpec = None,
    ) -> None:
        super().__init__()
        conv = partial(ConvBlock, norm=norm)
        self.branches = nn.ModuleList(
            [
                conv(in_channels, single, 1),
                nn.Sequential(conv(in_channels, triple[0], 1), conv(*triple, 3, padding=1)),
                nn.Sequential(
                    conv(in_channels, quintuple[0], 1),
                    conv(*quintuple, kernel5, padding=kernel5 // 2),
                ),
                nn.Sequential(nn.MaxPool2d(3, 1, padding=1), conv(in_channels, pooled, 1)),
            ]
        )
        self.out_channels = single + triple[1] + quintuple[1] + pooled

    def forward(self, x: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, out_channels, H, W]`."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class Auxiliary(Chain):
    """A classifier half-way, whose gradient reaches the first layers.

    Args:
        in_channels: channels of the features.
        num_classes: K.
        norm: of its convolution.
    """

    def __init__(self, in_channels: int, num_classes: int, norm: NormSpec) -> None:
        super().__init__(
            nn.AdaptiveAvgPool2d(4),
            ConvBlock(in_channels, 128, 1, norm=norm),
            nn.Flatten(),
            nn.Linear(128 * 16, 1024),
            nn.ReLU(),
            nn.Dropout(0.7),
            nn.Linear(1024, num_classes),
        )


class Auxiliaries(NamedTuple):
    """What GoogLeNet gives in training, where it has auxiliary classifiers."""

    logits: Tensor  # [B, K]
    late: Tensor  # [B, K], after module 4d
    early: Tensor  # [B, K], after module 4a


class GoogLeNetFeatures(nn.Module, Keywords):
    """The stem and nine Inception modules (N-ARC-03).

    Args:
        in_channels: channels of the pictures.
        kernel5: 5, or 3 for what torchvision has in that place.
        norm: after each convolution; `"batch"` trains more easily, None is the paper's.
        auxiliary: classes of the two auxiliary classifiers; 0 for none.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        kernel5: Kernel5 = 5,
        norm: NormSpec = "batch",
        auxiliary: int = 0,
    ) -> None:
        super().__init__()
        norm = partial(nn.BatchNorm2d, eps=1e-3) if norm == "batch" else norm
        half = partial(nn.MaxPool2d, 3, 2, ceil_mode=True)
        conv = partial(ConvBlock, norm=norm)
        self.stem = nn.Sequential(
            conv(in_channels, 64, 7, 2, padding=3),
            half(),
            conv(64, 64, 1),
            conv(64, 192, 3, padding=1),
            half(),
        )
        self.stages = nn.ModuleDict()
        for name, sizes in _MODULES.items():
            self.stages[name] = Inception(*sizes, kernel5=kernel5, norm=norm)
        self.auxiliary = nn.ModuleDict()
        if auxiliary:
            for name, channels in AUXILIARY.items():
                self.auxiliary[name] = Auxiliary(channels, auxiliary, norm)
        self.pools = nn.ModuleDict({"3b": half(), "4e": nn.MaxPool2d(2, 2, ceil_mode=True)})

    def forward(self, x: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, 1024, ⌈H/32⌉, ⌈W/32⌉]`."""
        return self.with_auxiliaries(x)[0]

    def with_auxiliaries(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the features, and the logits of the auxiliary classifiers, the earliest first."""
        x, logits = self.stem(x), []
        for name, stage in self.stages.items():
            x = stage(x)
            if name in self.auxiliary:
                logits.append(self.auxiliary[name](x))
            if name in self.pools:
                x = self.pools[name](x)
        return x, logits
