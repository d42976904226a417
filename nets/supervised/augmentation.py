"""Augmentation: pictures that show the same thing otherwise (curriculum N-REG-12, S-DATA-05).

Every function takes float pictures `[B, C, H, W]`, draws for each picture on its own from torch's
global generator, and runs on the pictures' device. What keeps a label is the data's affair: a 6
turned around is a 9, a text mirrored is none. `Augmentation` composes those that a data set allows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..arguments import checked
from ..keywords import Keywords
from ..kinds import Count, Positive, Share, Whole

Transform = Callable[[Tensor], Tensor]


@checked
def transform(
    images: Tensor,
    *,
    degrees: Tensor | float = 0.0,
    scale: Tensor | float = 1.0,
    shift: Tensor | float = 0.0,
) -> Tensor:
    """Turn pictures counterclockwise, enlarge and shift them, in this order, around their centre.

    Values between pixels are bilinear, what comes from outside is 0.

    Args:
        images: `[B, C, H, W]`.
        degrees: of each picture `[B]`, or of all.
        scale: factor of each picture `[B]`, or of all, more than 0.
        shift: pixels to the right and down, `[B, 2]`, or a number for both.
    """
    batch, _, height, width = _pictures(images)

    def of_each(value: Tensor | float) -> Tensor:
        return torch.as_tensor(value, dtype=images.dtype, device=images.device)

    angle, factor = of_each(degrees).deg2rad().expand(batch), of_each(scale).expand(batch)
    x, y = of_each(shift).expand(batch, 2).unbind(1)
    cos, sin = angle.cos() / factor, angle.sin() / factor
    # where each pixel comes from: p = R⁻¹(q − shift)/scale, in units of half the picture's sides
    aspect = height / width
    left, down = x * (2 / width), y * (2 / height)
    theta = torch.stack(
        [
            torch.stack([cos, -sin * aspect, -cos * left + sin * aspect * down], 1),
            torch.stack([sin / aspect, cos, -sin / aspect * left - cos * down], 1),
        ],
        1,
    )  # [B, 2, 3]
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)  # [B, H, W, 2]
    return F.grid_sample(images, grid, align_corners=False)


@checked
def rotate(images: Tensor, degrees: Tensor | float) -> Tensor:
    """Turn pictures counterclockwise; quarter turns of squares are exact, as `torch.rot90`."""
    _pictures(images)
    square = images.shape[-1] == images.shape[-2]
    if isinstance(degrees, int | float) and square and degrees % 90 == 0:
        return images.rot90(int(degrees // 90), (-2, -1))
    return transform(images, degrees=degrees)


@checked
def random_rotate(images: Tensor, degrees: float) -> Tensor:
    """Turn each picture by an angle between −degrees and degrees."""
    return transform(images, degrees=_uniform(images, -degrees, degrees))


@checked
def random_scale(images: Tensor, low: Positive, high: Positive) -> Tensor:
    """Enlarge each picture by a factor between `low` and `high`, uniform in its logarithm."""
    return transform(images, scale=_uniform(images, math.log(low), math.log(high)).exp())


@checked
def random_flip(images: Tensor, *, probability: Share = 0.5) -> Tensor:
    """Mirror each picture, left to right, with a probability in [0, 1]."""
    _pictures(images)
    flipped = torch.rand(len(images), 1, 1, 1, device=images.device) < probability
    return torch.where(flipped, images.flip(-1), images)


@checked
def random_shift(images: Tensor, pixels: Whole) -> Tensor:
    """Move each picture by up to so many whole pixels either way; its border fills the gap.

    Known in reinforcement learning as DrQ's (Kostrikov, Yarats & Fergus, 2021).
    """
    _pictures(images)
    padded = F.pad(images, (pixels,) * 4, mode="replicate")
    return random_crop(padded, images.shape[-2], images.shape[-1])


@checked
def random_crop(images: Tensor, height: Count, width: Count) -> Tensor:
    """Cut a piece of `[height, width]` out of each picture.

    Raises:
        ValueError: if the pictures are smaller.
    """
    batch, channels, rows, columns = _pictures(images)
    if height > rows or width > columns:
        raise ValueError(f"cannot cut {height}x{width} out of pictures of {rows}x{columns}")
    device = images.device
    top = torch.randint(rows - height + 1, (batch, 1), device=device)
    left = torch.randint(columns - width + 1, (batch, 1), device=device)
    row = (top + torch.arange(height, device=device))[:, None, :, None]  # [B, 1, H', 1]
    column = (left + torch.arange(width, device=device))[:, None, None, :]  # [B, 1, 1, W']
    index = torch.arange(batch, device=device).view(-1, 1, 1, 1)
    channel = torch.arange(channels, device=device).view(1, -1, 1, 1)
    return images[index, channel, row, column]


def _pictures(images: Tensor) -> tuple[int, int, int, int]:
    """Return the shape of float pictures; refuse what is none of them."""
    if images.dim() != 4 or not images.is_floating_point():
        found = f"{images.dtype} of shape {tuple(images.shape)}"
        raise ValueError(f"images are {found}: expected floats [B, C, H, W]")
    batch, channels, height, width = images.shape
    return batch, channels, height, width


class Augmentation(nn.Module, Keywords):
    """Change pictures by one transform after the other in training, and not in evaluation.

    Args:
        transforms: functions of `[B, C, H, W]`, as in `partial(random_shift, pixels=2)`.
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        super().__init__()
        self.transforms = tuple(transforms)

    def forward(self, images: Tensor) -> Tensor:
        """Return changed pictures, or the same ones."""
        if self.training:
            for change in self.transforms:
                images = change(images)
        return images


def _uniform(images: Tensor, low: float, high: float) -> Tensor:
    """Draw a number for each picture, `[B]`."""
    _pictures(images)
    numbers = torch.rand(len(images), dtype=images.dtype, device=images.device)
    return low + (high - low) * numbers
