"""How much of a picture one unit of a convolutional network sees (curriculum N-CNN-11)."""

from typing import NamedTuple

from torch import nn

from ..arguments import checked

WINDOWS = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d | nn.LPPool2d
ELSEWHERE = (nn.ConvTranspose2d, nn.Upsample, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


class ReceptiveField(NamedTuple):
    """A unit's part of the picture, in pixels; each is `(height, width)`."""

    size: tuple[int, int]
    """What one unit sees."""
    stride: tuple[int, int]
    """From what one unit sees to what its neighbour sees."""


@checked
def receptive_field(network: nn.Module) -> ReceptiveField:
    """Return what a unit of the last of a chain of convolutions and poolings sees.

    r ← r + (k − 1) · d · j and j ← j · s, from r = j = 1, for each window of k pixels, d apart,
    that moves by s: what a unit sees grows by what lies between its window's first and last.

    Args:
        network: whose windows follow on each other in the order of its modules. Of branches side by
            side, as in `Inception`, hand over one.

    Raises:
        ValueError: it has no window, or a layer that is no window of fixed size.

    Source: Araujo, Norris & Sim, *Computing receptive fields of convolutional neural networks*
    (Distill, 2019).
    """
    size, stride, found = [1, 1], [1, 1], False
    for module in network.modules():
        if isinstance(module, ELSEWHERE):
            kind = type(module).__name__
            raise ValueError(f"{kind} has no window of a fixed size: expected Conv2d or a pooling")
        if not isinstance(module, WINDOWS):
            continue
        found = True
        dilation = _pair(getattr(module, "dilation", 1))
        kernel, step = _pair(module.kernel_size), _pair(module.stride)
        for side in range(2):
            size[side] += (kernel[side] - 1) * dilation[side] * stride[side]
            stride[side] *= step[side]
    if not found:
        raise ValueError(f"{type(network).__name__} has no convolution and no pooling")
    return ReceptiveField((size[0], size[1]), (stride[0], stride[1]))


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])
