"""Convolutional blocks and networks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..arguments import checked
from ..keywords import Keywords
from ..kinds import Count, Whole
from .activations import ActivationSpec
from .activations import activation as build_activation
from .chain import Chain
from .images import check_shape, same_padding, scaled, sizes_out, smallest_size
from .images import conv_out as conv_out
from .mlp import per_layer
from .norm import NormSpec, cancels_bias
from .norm import norm as build_norm
from .pooling import pool2d
from .precision import Convolutions

Size: TypeAlias = Count | tuple[Count, Count]
Padding: TypeAlias = Whole | tuple[Whole, Whole] | Literal["same"]
PoolSpec: TypeAlias = str | nn.Module | Callable[[], nn.Module] | None


class SameConv2d(nn.Conv2d):
    """Convolution with an output of ⌈h/s⌉, for any stride (N-CNN-06).

    Zeros are added on both sides; an odd one goes below and to the right.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, bias=bias)
        self.padding = "same"

    def forward(self, input: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, out_channels, ⌈H/s⌉, ⌈W/s⌉]`."""
        top, bottom = same_padding(input.shape[2], self.kernel_size[0], self.stride[0])
        left, right = same_padding(input.shape[3], self.kernel_size[1], self.stride[1])
        padding = (top, left)
        if (top, left) != (bottom, right):
            input, padding = F.pad(input, (left, right, top, bottom)), (0, 0)
        return F.conv2d(input, self.weight, self.bias, self.stride, padding)


class ConvBlock(Chain):
    """Convolution → norm → activation → pooling → dropout; what is None is left out.

    The convolution is cross-correlation, as everywhere in deep learning (N-CNN-01). A bias that
    batch norm would cancel is left out (N-NORM-05).

    Args:
        in_channels: channels of the input.
        out_channels: number of kernels, each `in_channels` deep (N-CNN-03).
        kernel: size of the kernels.
        stride: step of the kernels.
        padding: zeros on each side, or `"same"` for an output of ⌈h/stride⌉.
        activation: see `nets.activation`.
        norm: see `nets.layers.norm.norm`, also `"group"` and `"instance"`.
        pool: a name of `nets.pool2d` (2x2), a pooling layer (copied), or a class or function that
            builds one, as in `partial(nn.MaxPool2d, 3, stride=2)`.
        dropout: probability of dropping a unit in training, in [0, 1).

    Raises:
        TypeError: if an argument is of another kind; it is named.
        ValueError: if a number is out of range, or a name unknown.
    """

    @checked
    def __init__(
        self,
        in_channels: Count,
        out_channels: Count,
        kernel: Size,
        stride: Size = 1,
        *,
        padding: Padding = 0,
        activation: ActivationSpec = "relu",
        norm: NormSpec = None,
        pool: PoolSpec = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout must be in [0, 1), got {dropout}")
        normalise = None if norm is None else build_norm(norm, out_channels, images=True)
        bias = normalise is None or not cancels_bias(normalise)
        if padding == "same":
            self.conv: nn.Conv2d = SameConv2d(in_channels, out_channels, kernel, stride, bias)
        else:
            self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=bias)
        if normalise is not None:
            self.norm = normalise
        if activation is not None:
            self.activation = build_activation(activation)
        if pool is not None:
            self.pool = _build_pool(pool)
        if dropout:
            self.dropout = nn.Dropout(dropout)
        self.out_channels = out_channels

    @property
    def windows(self) -> list[nn.Module]:
        """The layers that change the image's size."""
        return [layer for name, layer in self.named_children() if name in ("conv", "pool")]


def _build_pool(spec: str | nn.Module | Callable[[], nn.Module]) -> nn.Module:
    if isinstance(spec, nn.Module):
        return copy.deepcopy(spec)
    return pool2d(spec) if isinstance(spec, str) else spec()


class CNN(nn.Module, Keywords):
    """Convolutional blocks, flattened, and a linear layer if `out_features` is given.

    Images are channels-first; uint8 is scaled to [0, 1] inside, floats are left alone.

    Args:
        in_shape: (C, H, W) of the images.
        channels: kernels of each block.
        kernels: kernel size of each block; one number serves all, here and below.
        strides: stride of each block.
        paddings: zeros on each side, or `"same"`.
        activation: of each block, see `ConvBlock`; so too the options that follow.
        norm: of each block.
        pool: of each block.
        dropout: of each block.
        out_features: size of a linear layer at the end; None leaves the flat features.

    Attributes:
        out_shape: (C, H, W) after the last block.
        out_features: size of the output.
        min_size: the smallest (H, W) these blocks can take.

    Raises:
        ValueError: if the images are too small, or a list has not one entry per block.
    """

    @checked
    def __init__(
        self,
        in_shape: Sequence[int],
        channels: Sequence[Count],
        kernels: Count | Sequence[Size],
        strides: Count | Sequence[Size],
        *,
        paddings: Whole | Literal["same"] | Sequence[Padding] = 0,
        activation: ActivationSpec | Sequence[ActivationSpec] = "relu",
        norm: NormSpec | Sequence[NormSpec] = None,
        pool: PoolSpec | Sequence[PoolSpec] = None,
        dropout: float | Sequence[float] = 0.0,
        out_features: Count | None = None,
    ) -> None:
        super().__init__()
        check_shape(in_shape, (1, 1))
        if not channels:
            raise ValueError("channels must name at least one block")
        options: dict[str, Any] = {"kernel": kernels, "stride": strides, "padding": paddings}
        options |= {"activation": activation, "norm": norm, "pool": pool, "dropout": dropout}
        listed = {name: per_layer(spec, len(channels), name) for name, spec in options.items()}
        blocks = [
            ConvBlock(before, after, **{name: specs[i] for name, specs in listed.items()})
            for i, (before, after) in enumerate(
                zip([in_shape[0], *channels[:-1]], channels, strict=True)
            )
        ]
        windows = [layer for block in blocks for layer in block.windows]
        self.min_size = smallest_size(windows)
        self.in_shape = check_shape(in_shape, self.min_size)
        self.out_shape = (channels[-1], *sizes_out(windows, self.in_shape[1:]))
        self.blocks = Convolutions(*blocks)
        flat = self.out_shape[0] * self.out_shape[1] * self.out_shape[2]
        self.linear = None if out_features is None else nn.Linear(flat, out_features)
        self.out_features = out_features or flat

    @property
    def dtype(self) -> torch.dtype:
        """What uint8 images are turned into."""
        return self.blocks.dtype or cast(ConvBlock, self.blocks[0]).conv.weight.dtype

    def forward(self, images: Tensor) -> Tensor:
        """Map `images` `[B, C, H, W]` to `[B, out_features]`."""
        features = self.blocks(scaled(images, self.in_shape, self.dtype)).flatten(1)
        return features if self.linear is None else self.linear(features)
