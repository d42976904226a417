"""Residual blocks and networks (curriculum N-ARC-05, N-ARC-06)."""

from __future__ import annotations

from torch import Tensor, nn

from ..arguments import checked
from ..keywords import Keywords
from ..kinds import Count
from .activations import ActivationSpec
from .activations import activation as build_activation
from .norm import NormSpec, cancels_bias
from .norm import norm as build_norm


class ResBlock(nn.Module, Keywords):
    """Residual block y = act(x + F(x)), F = conv → norm → act → conv → norm (N-ARC-05).

    With `pre_activation` it is y = x + F(x), F = norm → act → conv → norm → act → conv: the
    path from x to y is then the identity, as in IMPALA's encoder. Convolutions are 3x3. Where the
    shape changes, a 1x1 convolution and a norm stand for the x that is added.

    Args:
        channels: of the input.
        out_channels: of the output; as many by default.
        stride: of the first convolution.
        activation: see `nets.activation`.
        norm: see `nets.layers.norm.norm`; a bias that it would cancel is left out.
        pre_activation: where activation and norm stand.
    """

    @checked
    def __init__(
        self,
        channels: Count,
        out_channels: Count | None = None,
        stride: Count = 1,
        *,
        activation: ActivationSpec = "relu",
        norm: NormSpec = "batch",
        pre_activation: bool = False,
    ) -> None:
        super().__init__()
        after = channels if out_channels is None else out_channels
        sizes = (channels, after) if pre_activation else (after, after)
        norms = [] if norm is None else [build_norm(norm, size, images=True) for size in sizes]
        bias = pre_activation or not any(map(cancels_bias, norms))
        first = nn.Conv2d(channels, after, 3, stride, padding=1, bias=bias)
        second = nn.Conv2d(after, after, 3, padding=1, bias=bias)
        act = build_activation(activation)
        if pre_activation:
            layers = [*norms[:1], act, first, *norms[1:], build_activation(activation), second]
            self.activation: nn.Module = nn.Identity()
        else:
            layers = [first, *norms[:1], act, second, *norms[1:]]
            self.activation = build_activation(activation)
        self.residual = nn.Sequential(*layers)
        self.shortcut = shortcut(channels, after, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        """Map `x` `[B, C, H, W]` to `[B, C', ⌈H/s⌉, ⌈W/s⌉]`."""
        return self.activation(self.shortcut(x) + self.residual(x))


class Bottleneck(nn.Module, Keywords):
    """Residual block whose F narrows, convolves and widens: 1x1, 3x3, 1x1 with four times as many.

    The stride is the 3x3 convolution's, as in most implementations; the paper gave it to the first.

    Args:
        channels: of the input.
        width: channels of the 3x3 convolution.
        stride: of the 3x3 convolution.
    """

    expansion = 4

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        after = self.expansion * width
        self.residual = nn.Sequential(
            nn.Conv2d(channels, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.shortcut = shortcut(channels, after, stride, "batch")

    def forward(self, x: Tensor) -> Tensor:
        """Map `x` `[B, C, H, W]` to `[B, 4·width, ⌈H/s⌉, ⌈W/s⌉]`."""
        return (self.shortcut(x) + self.residual(x)).relu()


def shortcut(channels: int, out_channels: int, stride: int, norm: NormSpec) -> nn.Module:
    """Return the path around a residual: the identity, or a 1x1 convolution with a norm."""
    if channels == out_channels and stride == 1:
        return nn.Identity()
    if norm is None:
        return nn.Conv2d(channels, out_channels, 1, stride)
    normalise = build_norm(norm, out_channels, images=True)
    conv = nn.Conv2d(channels, out_channels, 1, stride, bias=not cancels_bias(normalise))
    return nn.Sequential(conv, normalise)


BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
"""Blocks per stage of ResNet-18, 34, 50 and 101; from 50 on they are bottlenecks."""


def resnet(depth: int, in_channels: int) -> tuple[nn.Sequential, int]:
    """Build ResNet's features, and return how many channels they have (N-ARC-06).

    A 7x7 convolution and pooling shrink the picture to a quarter; of four stages, with 64 to 512
    channels, each but the first halves it again. He et al. (2016).
    """
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, 64, 7, 2, padding=3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1),
    ]
    channels = 64
    for stage, blocks in enumerate(BLOCKS[depth]):
        width = 64 * 2**stage
        for k in range(blocks):
            stride = 2 if stage > 0 and k == 0 else 1
            if depth < 50:
                layers.append(ResBlock(channels, width, stride))
                channels = width
            else:
                layers.append(Bottleneck(channels, width, stride))
                channels = Bottleneck.expansion * width
    body = nn.Sequential(*layers)
    for module in body.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return body, channels
