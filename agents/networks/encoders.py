"""Networks for agents: an encoder chosen from the observation space, and a fast way to act."""

from collections.abc import Sequence
from typing import TypeVar

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from nets.layers.images import CHANNELS_LAST_PIXELS
from nets.layers.mlp import MLP
from nets.layers.precision import has_bfloat16, set_convolutions

BFLOAT16_PIXELS = 64 * 64

Network = TypeVar("Network", bound=nn.Module)


class ChannelsFirst(nn.Module):
    """Bring pictures `[B, H, W, C]` or `[B, H, W]` to `[B, C, H, W]`."""

    def forward(self, x: Tensor) -> Tensor:
        """Move the last dimension to the front, or add a channel."""
        return x.unsqueeze(1) if x.dim() == 3 else x.permute(0, 3, 1, 2).contiguous()


class OneHot(nn.Module):
    """Turn states `[B]` into unit vectors `[B, S]`."""

    def __init__(self, states: int, start: int = 0) -> None:
        super().__init__()
        self.states, self.start = states, start

    def forward(self, x: Tensor) -> Tensor:
        """Return 1 at the state's place, 0 elsewhere."""
        places = torch.arange(self.start, self.start + self.states, device=x.device)
        return (x.unsqueeze(-1) == places).float()  # [B, S]


class Flatten(nn.Module):
    """Flatten `[B, *]` to float `[B, D]`."""

    def forward(self, x: Tensor) -> Tensor:
        """Keep the batch dimension."""
        return x.reshape(x.shape[0], -1).float()


def build_encoder(
    space: gym.Space, *, encoder: str = "auto", hidden: Sequence[int], activation: str = "relu"
) -> tuple[nn.Module, int]:
    """Return a network for observations of `space`, and how many features it gives.

    Three-dimensional boxes and uint8 pictures get a convolutional encoder, everything else an MLP.

    Args:
        space: Box or Discrete.
        encoder: `"auto"`, `"mlp"`, `"nature"`, `"impala"` or `"small-cnn"`.
        hidden: layers of the MLP; convolutional encoders have their own.
        activation: of the MLP.

    Raises:
        TypeError: the space is of another kind.
        ValueError: a convolutional encoder is asked for where there are no pictures.
    """
    if encoder not in ("auto", "mlp") and len(space.shape or ()) not in (2, 3):
        raise ValueError(f"encoder {encoder!r} needs pictures, but observations are {space}")
    if isinstance(space, gym.spaces.Discrete):
        states = int(space.n)
        mlp = MLP(states, hidden, activation=activation)
        return nn.Sequential(OneHot(states, int(space.start)), mlp), mlp.out_features
    if not isinstance(space, gym.spaces.Box):
        raise TypeError(f"cannot encode observations of {space}: expected Box or Discrete")
    if encoder == "mlp" or (encoder == "auto" and not is_picture(space)):
        mlp = MLP(int(np.prod(space.shape)), hidden, activation=activation)
        vectors = space.dtype == np.float32 and len(space.shape) == 1
        return mlp if vectors else nn.Sequential(Flatten(), mlp), mlp.out_features
    from nets.networks.encoders import image_encoder

    layout, shape = picture_layout(space)
    cnn = image_encoder(shape, encoder)
    layers = [cnn] if layout is None else [layout, cnn]
    return nn.Sequential(*layers), cnn.out_features


def place(
    network: Network, space: gym.Space, device: torch.device, precision: str = "auto"
) -> Network:
    """Bring a network to `device`, its convolutions to where they are fastest there.

    Over pictures of 32x32 and more weights lie channels last, as the pictures do.

    Args:
        network: changed in place, and returned.
        space: of observations.
        device: where it will be.
        precision: of convolutions, `"float32"`, `"bfloat16"` or `"auto"`: bfloat16 over pictures of
            64x64 and more on processors with units for it, else float32.
    """
    pixels = 0
    if isinstance(space, gym.spaces.Box) and is_picture(space):
        _, (_, height, width) = picture_layout(space)
        pixels = height * width
    gains = device.type == "cpu" and has_bfloat16(device) and pixels >= BFLOAT16_PIXELS
    halved = precision == "bfloat16" or (precision == "auto" and gains)
    set_convolutions(network, torch.bfloat16 if halved else None)
    layout = torch.channels_last if pixels >= CHANNELS_LAST_PIXELS else torch.preserve_format
    return network.to(device, memory_format=layout)  # type: ignore[call-overload]


def is_picture(space: gym.spaces.Box) -> bool:
    """Whether `space` holds pictures or boards with channels rather than feature vectors."""
    return len(space.shape) == 3 or (len(space.shape) == 2 and space.dtype == np.uint8)


def picture_layout(space: gym.spaces.Box) -> tuple[nn.Module | None, tuple[int, int, int]]:
    """Return what brings pictures of `space` to channels-first (None: nothing), and (C, H, W).

    The channels are the smaller end of the shape; ties count as channels-first.
    """
    if len(space.shape) == 2:
        height, width = space.shape
        return ChannelsFirst(), (1, height, width)
    first, middle, last = space.shape
    if last < first:
        return ChannelsFirst(), (last, first, middle)
    return None, (first, middle, last)
