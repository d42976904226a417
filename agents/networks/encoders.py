"""Networks for agents: an encoder chosen from the observation space, and a fast way to act."""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from nets.layers.images import CHANNELS_LAST_PIXELS
from nets.layers.mlp import MLP
from nets.layers.precision import has_bfloat16, set_convolutions

from ..environments.parts import COMPOSITES, Part, parts
from .inputs import Flatten, Numbers, OneHot, OneHots
from .own import build_own, own_encoders
from .pictures import Channels, is_picture, picture_layout

BFLOAT16_PIXELS = 64 * 64

Network = TypeVar("Network", bound=nn.Module)


class SideBySide(nn.Module):
    """Features of the parts of an observation, each by an encoder of its own, side by side.

    Args:
        found: the parts, and where a row has them.
        encoders: one for each.
    """

    def __init__(self, found: Sequence[Part], encoders: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts, self.encoders = found, nn.ModuleList(encoders)

    def forward(self, x: Tensor) -> Tensor:
        """Map rows `[B, D]` to features `[B, F₁ + F₂ + …]`."""
        features = []
        for part, encoder in zip(self.parts, self.encoders, strict=True):
            member = x[:, part.columns].reshape(x.shape[0], *(part.space.shape or ()))
            if part.space.dtype == np.uint8:  # encoders of pictures scale bytes
                member = member.to(torch.uint8)
            features.append(encoder(member))
        return torch.cat(features, dim=1)


def build_encoder(
    space: gym.Space,
    *,
    encoder: str | Callable[..., Any] = "auto",
    hidden: Sequence[int],
    activation: str = "relu",
    channels: Channels = "auto",
) -> tuple[nn.Module, int]:
    """Return a network for observations of `space`, and how many features it gives.

    Pictures (`is_picture`) get a convolutional encoder, everything else an MLP. Parts of a Dict or
    Tuple get an encoder each, and an MLP over all features. So do the features of somebody's own
    encoder (`build_own`), where there are hidden layers.

    Args:
        space: Box, Discrete, MultiDiscrete, MultiBinary, or a Dict or Tuple of them.
        encoder: `"auto"`, `"mlp"`, `"nature"`, `"impala"`, `"small-cnn"`, or see `build_own`.
        hidden: layers of the MLP; convolutional encoders of ours have their own.
        activation: of the MLP.
        channels: where those of pictures are; see `picture_layout`.

    Raises:
        TypeError: the space is of another kind.
        ValueError: a convolutional encoder is asked for where there are no pictures, or nobody
            can tell where their channels are.
    """
    if not isinstance(encoder, str) or ":" in encoder:
        own = build_own(encoder, space, channels)
        if not hidden:
            return own, own.out_features
        mlp = MLP(own.out_features, hidden, activation=activation)
        return nn.Sequential(own, mlp), mlp.out_features
    if isinstance(space, COMPOSITES):
        return _side_by_side(space, encoder, hidden, activation, channels)
    if encoder not in ("auto", "mlp") and len(space.shape or ()) not in (2, 3, 4):
        raise ValueError(f"encoder {encoder!r} needs pictures, but observations are {space}")
    if isinstance(space, gym.spaces.Discrete):
        states = int(space.n)
        mlp = MLP(states, hidden, activation=activation)
        return nn.Sequential(OneHot(states, int(space.start)), mlp), mlp.out_features
    if isinstance(space, gym.spaces.MultiDiscrete):
        sizes, starts = space.nvec.ravel().tolist(), space.start.ravel().tolist()
        mlp = MLP(sum(sizes), hidden, activation=activation)
        return nn.Sequential(OneHots(sizes, starts), mlp), mlp.out_features
    if isinstance(space, gym.spaces.MultiBinary):
        mlp = MLP(math.prod(space.shape), hidden, activation=activation)
        return nn.Sequential(Flatten(), mlp), mlp.out_features
    if not isinstance(space, gym.spaces.Box):
        raise TypeError(f"cannot encode observations of {space}: expected Box, Discrete or parts")
    if encoder == "mlp" or (encoder == "auto" and not is_picture(space)):
        mlp = MLP(int(np.prod(space.shape)), hidden, activation=activation)
        vectors = space.dtype == np.float32 and len(space.shape) == 1
        flatten = Flatten(bytes_=space.dtype == np.uint8 and bool((space.high == 255).all()))
        return mlp if vectors else nn.Sequential(flatten, mlp), mlp.out_features
    from nets.networks.encoders import image_encoder

    layout, shape = picture_layout(space, channels)
    cnn = image_encoder(shape, encoder)
    layers: list[nn.Module] = [cnn] if layout is None else [layout, cnn]
    if np.issubdtype(space.dtype, np.integer) and space.dtype != np.uint8:
        layers.insert(0, Numbers())
    return nn.Sequential(*layers), cnn.out_features


def _side_by_side(
    space: gym.Space, encoder: str, hidden: Sequence[int], activation: str, channels: Channels
) -> tuple[nn.Module, int]:
    """Return an encoder of rows whose parts have one each; `encoder` is that of pictures."""
    found, encoders, sizes = parts(space), [], []
    shown = [isinstance(p.space, gym.spaces.Box) and is_picture(p.space) for p in found]
    if encoder not in ("auto", "mlp") and not any(shown):
        raise ValueError(f"encoder {encoder!r} needs pictures, but observations are {space}")
    for part, picture in zip(found, shown, strict=True):
        name = encoder if picture else "auto"
        built, size = build_encoder(part.space, encoder=name, hidden=(), channels=channels)
        encoders.append(built)
        sizes.append(size)
    mlp = MLP(sum(sizes), hidden, activation=activation)
    return nn.Sequential(SideBySide(found, encoders), mlp), mlp.out_features


def place(
    network: Network,
    space: gym.Space,
    device: torch.device,
    precision: str = "auto",
    channels: Channels = "auto",
) -> Network:
    """Bring a network to `device`, its convolutions to where they are fastest there.

    Over pictures of 32x32 and more weights lie channels last, as the pictures do.

    Args:
        network: changed in place, and returned.
        space: of observations.
        device: where it will be.
        precision: of convolutions, `"float32"`, `"bfloat16"` or `"auto"`: bfloat16 over pictures of
            64x64 and more on processors with units for it, else float32.
        channels: where those of pictures are; see `picture_layout`.
    """
    pixels = 0
    if isinstance(space, gym.spaces.Box) and is_picture(space):
        _, (_, height, width) = picture_layout(space, channels)
        pixels = height * width
    gains = device.type == "cpu" and has_bfloat16(device) and pixels >= BFLOAT16_PIXELS
    halved = precision == "bfloat16" or (precision == "auto" and gains)
    set_convolutions(network, torch.bfloat16 if halved else None)
    layout = torch.channels_last if pixels >= CHANNELS_LAST_PIXELS else torch.preserve_format
    network = network.to(device, memory_format=layout)  # type: ignore[call-overload]
    for encoder in own_encoders(network):
        encoder.check(space, device)
    return network
