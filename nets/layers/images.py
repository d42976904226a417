"""Sizes and values of images: exact arithmetic of windows, checks, scaling to [0, 1]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn

from ..near import shortened

CHANNELS_LAST_PIXELS = 32 * 32


def conv_out(
    size: int, kernel: int, stride: int = 1, padding: int | str = 0, dilation: int = 1
) -> int:
    """Return the length of a convolution's output, ⌊(h + 2p - d(k - 1) - 1)/s⌋ + 1 (N-CNN-02).

    With `padding="same"` it is ⌈h/s⌉ (N-CNN-06). Below 1 the window does not fit.
    """
    if padding == "same":
        return -(-size // stride)
    return (size + 2 * int(padding) - dilation * (kernel - 1) - 1) // stride + 1


def conv_in(
    size: int, kernel: int, stride: int = 1, padding: int | str = 0, dilation: int = 1
) -> int:
    """Return the smallest input length whose `conv_out` is at least `size`."""
    if padding == "same":
        return (size - 1) * stride + 1
    return max(1, (size - 1) * stride + dilation * (kernel - 1) + 1 - 2 * int(padding))


def sizes_out(layers: Iterable[nn.Module], size: tuple[int, int]) -> tuple[int, int]:
    """Return the height and width that `layers` make of an image of `size`."""
    height, width = size
    for layer in layers:
        height, width = conv_out(height, *window(layer, 0)), conv_out(width, *window(layer, 1))
    return height, width


def smallest_size(layers: Sequence[nn.Module]) -> tuple[int, int]:
    """Return the least height and width of which `layers` leave at least one pixel."""
    height = width = 1
    for layer in reversed(layers):
        height, width = conv_in(height, *window(layer, 0)), conv_in(width, *window(layer, 1))
    return height, width


def window(layer: nn.Module, axis: int) -> tuple[int, int, int | str, int]:
    """Return kernel, stride, padding and dilation of a convolution or pooling along an axis.

    Raises:
        TypeError: if `layer` is neither.
        ValueError: if it rounds sizes up (`ceil_mode`).
    """
    parts: list[Any] = [getattr(layer, name, None) for name in ("kernel_size", "stride", "padding")]
    if None in parts:
        raise TypeError(f"expected a layer with kernel_size, stride and padding, got {layer!r}")
    if getattr(layer, "ceil_mode", False):
        raise ValueError(f"ceil_mode is not supported in {layer!r}")
    parts.append(getattr(layer, "dilation", 1))
    kernel, stride, padding, dilation = (p[axis] if isinstance(p, tuple) else p for p in parts)
    return kernel, stride, padding, dilation


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the zeros before and after that make the output ⌈size/stride⌉ long."""
    total = max(0, (conv_out(size, kernel, stride, "same") - 1) * stride + kernel - size)
    return total // 2, total - total // 2


def check_shape(in_shape: Sequence[int], min_size: tuple[int, int]) -> tuple[int, int, int]:
    """Return `in_shape` as a tuple (C, H, W).

    Raises:
        ValueError: if it is no such triple, or smaller than `min_size`.
    """
    sizes = tuple(in_shape) if isinstance(in_shape, Sequence) else ()
    if len(sizes) != 3 or not all(isinstance(size, Integral) and size > 0 for size in sizes):
        said = sizes or shortened(in_shape)
        raise ValueError(f"in_shape must be (channels, height, width), got {said}")
    channels, height, width = in_shape
    if height < min_size[0] or width < min_size[1]:
        raise ValueError(
            f"images of {height}x{width} (height x width) are too small for these layers: "
            f"they need at least {min_size[0]}x{min_size[1]}"
        )
    return channels, height, width


def scaled(images: Tensor, in_shape: tuple[int, int, int], dtype: torch.dtype) -> Tensor:
    """Return `images` `[B, C, H, W]` as floats: uint8 divided by 255, bool as 0 and 1.

    Images of 32x32 and more are laid out channels last, which speeds convolutions up.

    Raises:
        ValueError: if the shape is not `[B, *in_shape]`.
        TypeError: if the images are neither uint8 nor bool nor float.
    """
    if images.shape[1:] != in_shape:
        raise ValueError(
            f"expected images of shape [B, {', '.join(map(str, in_shape))}], "
            f"got {list(images.shape)}{_meant(tuple(images.shape), in_shape)}"
        )
    if in_shape[1] * in_shape[2] >= CHANNELS_LAST_PIXELS:
        images = images.contiguous(memory_format=torch.channels_last)
    if images.dtype == torch.uint8:
        return images.to(dtype).div_(255)
    if images.dtype == torch.bool:
        return images.to(dtype)
    if not images.is_floating_point():
        raise TypeError(f"images must be uint8, bool or float, got {images.dtype}")
    return images


def _meant(shape: tuple[int, ...], in_shape: tuple[int, int, int]) -> str:
    """Return how images of a shape become what was expected, where that is known."""
    channels, height, width = in_shape
    if shape[1:] == (height, width, channels):
        return ": channels come first, as in images.permute(0, 3, 1, 2)"
    return ": one image is a batch of one, images[None]" if shape == in_shape else ""
