"""Blocks that enlarge images: transposed convolution, or resizing and convolution."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ..arguments import checked
from ..keywords import Keywords
from ..kinds import Count, Upsampling
from .activations import ActivationSpec
from .activations import activation as build_activation
from .chain import Chain
from .norm import NormSpec, cancels_bias
from .norm import norm as build_norm


def conv_transpose_out(
    size: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    dilation: int = 1,
) -> int:
    """Return a transposed convolution's length, (h - 1)s - 2p + d(k - 1) + o + 1 (N-CNN-09)."""
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1


class Resize(nn.Module, Keywords):
    """Stretch images of h pixels to h·stride + extra by interpolation.

    Args:
        stride: the factor.
        extra: rows and columns on top of it.
        mode: `"nearest"` or `"bilinear"`.
    """

    def __init__(self, stride: int, extra: tuple[int, int] = (0, 0), mode: str = "nearest") -> None:
        super().__init__()
        self.stride, self.extra, self.mode = stride, extra, mode

    def forward(self, images: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, C, H·stride + extra[0], W·stride + extra[1]]`."""
        size = [
            n * self.stride + more for n, more in zip(images.shape[2:], self.extra, strict=True)
        ]
        return F.interpolate(images, size=size, mode=self.mode)


class UpBlock(Chain):
    """Enlarge images → norm → activation; what is None is left out (N-CNN-09, N-CNN-10).

    `"transpose"` is the adjoint of a convolution. Where `stride` does not divide `kernel` its
    windows overlap unevenly and leave a checkerboard; the others resize, then convolve, which
    never does. With `padding=None` either makes h·stride + output_padding pixels of h.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel: size of the kernels, one for both sides or (height, width); None for 2·stride,
            3·stride if that is odd, or 3 (resized).
        stride: the factor of the enlargement.
        padding: zeros on each side of the convolution, or those that its adjoint cuts off.
        output_padding: rows and columns added at the bottom and on the right, in [0, stride).
        mode: `"transpose"`, or `"nearest"` or `"bilinear"` resizing.
        activation: see `nets.activation`.
        norm: see `nets.layers.norm.norm`, also `"group"` and `"instance"`.

    Raises:
        ValueError: if the mode is unknown, or `kernel` cannot make h·stride pixels and no
            `padding` is given.
    """

    @checked
    def __init__(
        self,
        in_channels: Count,
        out_channels: Count,
        kernel: int | tuple[int, int] | None = None,
        stride: Count = 2,
        *,
        padding: int | None = None,
        output_padding: int | tuple[int, int] = 0,
        mode: Upsampling = "transpose",
        activation: ActivationSpec = "relu",
        norm: NormSpec = None,
    ) -> None:
        super().__init__()
        extra = output_padding if isinstance(output_padding, tuple) else (output_padding,) * 2
        if not all(0 <= more < stride for more in extra):
            raise ValueError(f"output_padding is {output_padding}: expected 0 to {stride - 1}")
        transposed = mode == "transpose"
        if kernel is None:
            kernel = (2 + stride % 2) * stride if transposed else 3
        sides = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        paddings = [padding] * 2 if padding is not None else []
        for side in sides if padding is None else ():
            half, odd = divmod(side - (stride if transposed else 1), 2)
            if odd or half < 0:
                fitting = "of the stride's parity, no smaller" if transposed else "odd"
                raise ValueError(f"kernel is {kernel}: without padding it must be {fitting}")
            paddings.append(half)
        cut = paddings[0], paddings[1]
        normalise = None if norm is None else build_norm(norm, out_channels, images=True)
        bias = normalise is None or not cancels_bias(normalise)
        self.conv: nn.Conv2d | nn.ConvTranspose2d
        if transposed:
            self.conv = nn.ConvTranspose2d(
                in_channels, out_channels, sides, stride, cut, extra, bias=bias
            )
        else:
            self.resize = Resize(stride, extra, mode)
            self.conv = nn.Conv2d(in_channels, out_channels, sides, padding=cut, bias=bias)
        if normalise is not None:
            self.norm = normalise
        if activation is not None:
            self.activation = build_activation(activation)
        self.out_channels = out_channels
