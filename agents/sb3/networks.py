"""What stable-baselines3 is made to see: which spaces it takes, and our encoders inside."""

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete
from stable_baselines3.common.preprocessing import is_image_space
from torch import Tensor, nn

from nets.layers.activations import activation
from nets.networks.encoders import image_encoder
from nets.sb3 import sb3_extractor

from ..networks.pictures import is_picture, picture_layout
from .config import SB3Config

SPACES = (Box, Discrete, MultiDiscrete, MultiBinary)


class PictureEncoder(nn.Module):
    """One of our CNNs for pictures of any layout that stable-baselines3 hands over as floats."""

    def __init__(self, space: Box, name: str = "auto") -> None:
        super().__init__()
        layout, shape = picture_layout(space)
        self.layout = layout or nn.Identity()
        self.cnn = image_encoder(shape, name)
        self.out_features = self.cnn.out_features
        unscaled = space.dtype == np.uint8 and not is_image_space(space)
        self.scale = 1.0 / 255.0 if unscaled else 1.0

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures `[B, *observation]` to features `[B, out_features]`."""
        return self.cnn(self.layout(x * self.scale))


def architecture(space: gym.Space, config: SB3Config) -> dict[str, Any]:
    """Return stable-baselines3's `policy_kwargs` for an encoder and hidden layers.

    Raises:
        ValueError: the encoder needs pictures and there are none, or a name is unknown.
    """
    activation(config.activation)
    common = {"activation_fn": partial(activation, config.activation)}
    if config.encoder == "mlp":
        first, *rest = config.hidden
        words = {"hidden": (first,), "activation": config.activation}
        return common | sb3_extractor("mlp", net_arch=rest, **words)
    if config.encoder == "auto" and not holds_pictures(space):
        return common | {"net_arch": list(config.hidden)}
    if not isinstance(space, Box) or len(space.shape) not in (2, 3, 4):
        message = f"encoder {config.encoder!r} needs pictures, but observations are {space}"
        raise ValueError(message)
    after = list(config.hidden) if config.joins_action else []
    encoder = partial(PictureEncoder, name=config.encoder)  # of the space, not of a shape
    return common | sb3_extractor(encoder, net_arch=after)


def holds_pictures(space: gym.Space) -> bool:
    """Whether members of `space` are pictures, or boards with channels."""
    return isinstance(space, Box) and is_picture(space)


def check_observations(name: str, space: gym.Space) -> None:
    """Refuse observations that stable-baselines3 cannot learn from.

    Raises:
        TypeError: naming the environment called `name`, and what could be.
    """
    if not isinstance(space, SPACES) or _starts_late(space):
        message = f"{name} has observations {space}: stable-baselines3 needs Box, Discrete"
        raise TypeError(f"{message} (from 0), MultiDiscrete or MultiBinary")


def check_actions(
    name: str, space: gym.Space, algorithm: str, kinds: tuple[type[gym.Space], ...]
) -> None:
    """Refuse actions that are not of one of the `kinds`, or that stable-baselines3 cannot take.

    Raises:
        TypeError: naming the environment called `name`, and what the algorithm could take.
    """
    endless = isinstance(space, Box) and not space.is_bounded()
    if not isinstance(space, kinds) or endless or _starts_late(space):
        names = {Box: "bounded Box", Discrete: "Discrete (from 0)"}
        expected = " or ".join(names.get(kind, kind.__name__) for kind in kinds)
        raise TypeError(f"{name} has actions {space}: {algorithm} needs {expected}")


def _starts_late(space: gym.Space) -> bool:
    return isinstance(space, Discrete | MultiDiscrete) and bool(np.any(space.start != 0))
