"""People's own encoders: classes, functions and objects of theirs in place of a name of ours."""

import sys
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from nets.gradients.modes import evaluation_mode
from nets.networks.own import OwnNetwork, try_out

from ..environments.parts import row_space
from ..environments.spaces import as_rows
from .inputs import Flatten, Members, SB3Members
from .pictures import Channels, picture_layout

SAMPLES = 3


class OwnEncoder(nn.Module):
    """An encoder of somebody's, from rows of observations to features `[B, F]`.

    What does not learn runs in evaluation mode: acting, targets, old probabilities.

    Args:
        inputs: rows `[B, *]` to what the encoder takes.
        encoder: what it is.
        name: what errors call it.

    Attributes:
        out_features: F, known after `check`.
    """

    def __init__(self, inputs: nn.Module, encoder: nn.Module, name: str) -> None:
        super().__init__()
        self.inputs, self.encoder, self.name = inputs, encoder, name
        self.out_features = 0

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows `[B, *]` to features `[B, F]`."""
        members = self.inputs(rows)
        if not self.training or self._learns():
            return self.encoder(members)
        with evaluation_mode(self.encoder):
            return self.encoder(members)

    def check(self, space: gym.Space, device: torch.device) -> None:
        """Try it on a few observations of `space`, on a device.

        Raises:
            ValueError: it fails, or what it gives is no float32 `[B, F]` there.
        """
        own = deepcopy(space)
        own.seed(0)
        rows = np.concatenate([as_rows(space, own.sample())[0] for _ in range(SAMPLES)])
        members = self.inputs(torch.from_numpy(rows).to(device))
        with evaluation_mode(self.encoder):
            self.out_features = try_out(self.encoder, members, SAMPLES, self.name, device)

    def _learns(self) -> bool:
        learning = (parameter.requires_grad for parameter in self.encoder.parameters())
        return torch.is_grad_enabled() and any(learning)


def build_own(given: str | Callable[..., Any], space: gym.Space, channels: Channels) -> OwnEncoder:
    """Return somebody's encoder for observations of `space`, with new weights, and tried.

    An encoder is a module from observations `[B, *]` to features float32 `[B, F]`. It sees them as
    the space has them: `Box` float32 or uint8 `[B, *shape]`, `Discrete` int64 `[B]`, `Dict` and
    `Tuple` a dict and a tuple of such.

    Args:
        given: the module's class, or a function, either of which is called with what its first
            parameter is named after: `in_features`, how many numbers an observation has, which then
            come flat; `in_shape`, (C, H, W) of pictures, which then come so; else the space. Or
            `module:name` of such a class or function, or a module to copy. A features extractor of
            stable-baselines3's gets what it gets there.
        space: of observations.
        channels: where those of pictures are; see `picture_layout`.

    Raises:
        ValueError: it cannot be imported, made, or run; see `OwnEncoder.check`.
        TypeError: it is no module.
    """
    network = OwnNetwork("encoder", given)
    argument, inputs = _argument(network, space, channels)
    encoder = network.make(argument)
    if _is_extractor(type(encoder)):
        shown: Any = encoder._observation_space
        inputs = SB3Members(space, shown)
    own = OwnEncoder(inputs, encoder, network.name)
    own.check(space, torch.device("cpu"))
    return own


def own_encoders(network: nn.Module) -> list[OwnEncoder]:
    """Return the encoders of somebody's that are part of a network."""
    return [module for module in network.modules() if isinstance(module, OwnEncoder)]


def _argument(network: OwnNetwork, space: gym.Space, channels: Channels) -> tuple[Any, nn.Module]:
    """Return what a class or function is called with, and what makes its inputs of rows."""
    if _is_extractor(network.maker):
        return _channels_first(space), nn.Identity()
    if network.first == "in_features":
        return int(np.prod(row_space(space).shape or ())), Flatten()
    if network.first == "in_shape" and isinstance(space, gym.spaces.Box):
        layout, shape = picture_layout(space, channels)
        return shape, layout or nn.Identity()
    return space, Members(space)


# Stable-baselines3's -----------------------------------------------------------------------------


def _is_extractor(kind: Any) -> bool:
    layers = sys.modules.get("stable_baselines3.common.torch_layers")
    if layers is None or not isinstance(kind, type):
        return False
    return issubclass(kind, layers.BaseFeaturesExtractor)


def _channels_first(space: gym.Space) -> gym.Space:
    """Return the space as stable-baselines3 shows it, its pictures channels first."""
    from stable_baselines3.common.preprocessing import (
        is_image_space,
        is_image_space_channels_first,
    )
    from stable_baselines3.common.vec_env import VecTransposeImage

    if isinstance(space, gym.spaces.Dict):
        return gym.spaces.Dict({key: _channels_first(part) for key, part in space.items()})
    if not isinstance(space, gym.spaces.Box) or not is_image_space(space):
        return space
    if is_image_space_channels_first(space):
        return space
    return VecTransposeImage.transpose_space(space)
