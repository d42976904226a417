"""DenseNet: each layer sees all before it (curriculum N-ARC-07)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..arguments import checked
from ..keywords import Keywords
from ..kinds import Count
from .chain import Chain

BLOCKS = {
    121: (32, 64, (6, 12, 24, 16)),
    161: (48, 96, (6, 12, 36, 24)),
    169: (32, 64, (6, 12, 32, 32)),
    201: (32, 64, (6, 12, 48, 32)),
}
"""Growth, channels of the stem, and layers per block of DenseNet-121, 161, 169 and 201."""
BOTTLENECK = 4
COMPRESSION = 0.5


class DenseBlock(nn.ModuleList, Keywords):
    """Layers of norm → ReLU → 1x1 → norm → ReLU → 3x3, each of which adds `growth` channels.

    Args:
        in_channels: channels of the input.
        layers: number of layers.
        growth: channels that each of them adds, k.
    """

    @checked
    def __init__(self, in_channels: Count, layers: Count, growth: Count) -> None:
        width = BOTTLENECK * growth
        super().__init__(
            nn.Sequential(
                nn.BatchNorm2d(in_channels + k * growth),
                nn.ReLU(),
                nn.Conv2d(in_channels + k * growth, width, 1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.Conv2d(width, growth, 3, padding=1, bias=False),
            )
            for k in range(layers)
        )
        self.out_channels = in_channels + layers * growth

    def forward(self, x: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, C + layers·growth, H, W]`; x stands first."""
        for layer in self:
            x = torch.cat([x, layer(x)], dim=1)
        return x


class Transition(Chain):
    """Norm → ReLU → 1x1 → 2x2 mean pooling: half the channels, half the size.

    Args:
        in_channels: channels of the input.
    """

    def __init__(self, in_channels: int) -> None:
        self.out_channels = int(COMPRESSION * in_channels)
        super().__init__(
            nn.BatchNorm2d(in_channels),
            nn.ReLU(),
            nn.Conv2d(in_channels, self.out_channels, 1, bias=False),
            nn.AvgPool2d(2),
        )


def densenet(depth: int, in_channels: int) -> tuple[nn.Sequential, int]:
    """Build DenseNet's features, and return how many channels they have.

    Huang et al. (2017), DenseNet-BC: bottlenecks and compression.
    """
    growth, channels, blocks = BLOCKS[depth]
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, channels, 7, 2, padding=3, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1),
    ]
    for k, count in enumerate(blocks):
        block = DenseBlock(channels, count, growth)
        layers.append(block)
        channels = block.out_channels
        if k + 1 < len(blocks):
            layers.append(transition := Transition(channels))
            channels = transition.out_channels
    body = nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU())
    for module in body.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return body, channels
