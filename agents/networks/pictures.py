"""Which observations are pictures, and where their channels are."""

import math
from collections.abc import Iterator
from typing import Literal

import gymnasium as gym
import numpy as np
from torch import Tensor, nn

from ..environments.parts import parts

Channels = Literal["auto", "first", "last"]


class ChannelsFirst(nn.Module):
    """Bring pictures to `[B, C, H, W]`: those without channels, with them last, or in stacks.

    Args:
        last: whether `[H, W, C]` is what one looks like, and not `[C, H, W]`.
    """

    def __init__(self, *, last: bool) -> None:
        super().__init__()
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        """Map `[B, H, W]`, or `[B, *picture]`, or K of them `[B, K, *picture]` side by side."""
        if x.dim() == 3:
            return x.unsqueeze(1)
        if self.last:
            x = x.movedim(-1, -3)  # [B, ..., C, H, W]
        return x.flatten(1, -3).contiguous()


def is_picture(space: gym.spaces.Box) -> bool:
    """Whether `space` holds pictures or boards with channels, or stacks of them, and no vectors."""
    return len(space.shape) in (3, 4) or (len(space.shape) == 2 and space.dtype == np.uint8)


def unscaled(space: gym.Space) -> Iterator[str]:
    """Yield a sentence for each picture in `space` that networks see in numbers up to 255.

    Bytes are brought to [0, 1]; others are taken as they come, as boards are.
    """
    for each in (part.space for part in parts(space)):
        if not isinstance(each, gym.spaces.Box) or not is_picture(each):
            continue
        if each.dtype != np.uint8 and (each.low == 0).all() and (each.high == 255).all():
            remedy = "declare them as uint8, or divide them by 255"
            yield f"networks see the pictures {each} as they are, up to 255: {remedy}"


def picture_layout(
    space: gym.spaces.Box, channels: Channels = "auto"
) -> tuple[nn.Module | None, tuple[int, int, int]]:
    """Return what brings pictures of `space` to channels-first (None: nothing), and (C, H, W).

    Args:
        space: of pictures `[H, W]`, `[H, W, C]`, `[C, H, W]`, or of stacks of such.
        channels: where they are. `"auto"`: two equal sides are those of the picture, and of a cube
            the channels are last, as in Gymnasium; else the channels are the smallest of the three.

    Raises:
        ValueError: neither rule decides.
    """
    if len(space.shape) == 2:
        height, width = space.shape
        return ChannelsFirst(last=True), (1, height, width)
    *stack, first, middle, last = space.shape
    frames = math.prod(stack)
    if channels == "auto":
        channels = _where(first, middle, last)
    if channels == "last":
        return ChannelsFirst(last=True), (frames * last, first, middle)
    return ChannelsFirst(last=False) if stack else None, (frames * first, middle, last)


def _where(first: int, middle: int, last: int) -> Literal["first", "last"]:
    if first == middle:
        return "last"
    if middle == last:
        return "first"
    if first != last and min(first, last) < middle:
        return "last" if last < first else "first"
    shape = f"({first}, {middle}, {last})"
    raise ValueError(f"pictures of shape {shape}: say channels='first' or channels='last'")
