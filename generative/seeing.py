"""What is seen of environments: the latents of an encoder, or what a world with a memory knows."""

from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import torch
from gymnasium.spaces import Box
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from .data.frames import check_pictures, is_picture
from .data.pictures import channels_first, resized
from .loading import load
from .model import Encodes, GenerativeModel
from .worlds.filtering import WorldFilter
from .worlds.world import World

Array = NDArray[Any]
Source = Literal["observation", "render"]
Trained = str | Path | GenerativeModel


class LatentEncoder:
    """Pictures to latent means, float32 `[N, D]`.

    Args:
        run: a run folder, a file that `generative.save` wrote, or a model with `encode`.
        device: where to encode; None: the CPU for a run, where it is for a model.

    Raises:
        TypeError: the model has no encoder for pictures.
        FileNotFoundError: there is no such run.
    """

    def __init__(self, run: Trained, device: str | None = None) -> None:
        run = find_model(run, device)
        if not isinstance(run, Encodes) or len(run.shape) != 3:
            message = f"a {run.name} of shape {run.shape} encodes no pictures"
            raise TypeError(f"{message}: expected an autoencoder of pictures (C, H, W)")
        self.model = run.eval()
        self.space = Box(-np.inf, np.inf, self._encode(torch.zeros(1, *run.shape)).shape[1:])

    def __call__(self, pictures: Array) -> Array:
        """Encode uint8 `[N, H, W, C]` or `[N, H, W]` of any size.

        Raises:
            ValueError: the model was trained on another number of channels.
        """
        channels, height, width = self.model.shape
        x = channels_first(pictures)  # [N, C, H, W]
        if x.shape[1] != channels:
            message = f"pictures have {x.shape[1]} channels, the {self.model.name} expects"
            raise ValueError(f"{message} {channels}: was it trained on what this source shows?")
        return self._encode(resized(x, height, width).float() / 255)

    @torch.inference_mode()
    def _encode(self, x: torch.Tensor) -> Array:
        return self.model.encode(x.to(self.model.device)).float().cpu().numpy()


class Sight:
    """What is shown of N environments side by side: latents of pictures, or what a world knows.

    Args:
        run: see `LatentObservation`.
        source: see there.
        device: see there.
        env: an environment, alone or as a vector.
        spaces: of the observations and actions of one.
        count: N.

    Attributes:
        source: what is looked at.
        encode: the encoder, of a model that has one.
        space: of what is shown of one.
    """

    def __init__(
        self,
        run: Trained,
        source: Source | None,
        device: str | None,
        env: gym.Env | VectorEnv,
        spaces: tuple[gym.Space, gym.Space],
        count: int,
    ) -> None:
        model = find_model(run, device)
        self.encode: LatentEncoder | None = None
        self._filter: WorldFilter | None = None
        if isinstance(model, World):
            if source == "render":
                raise ValueError(f"a world knows of what {env} shows: source is 'render'")
            self.source: Source = "observation"
            self._filter = WorldFilter(model, count)
            self._filter.require_same(str(env), *spaces)
            self.space = self._filter.space
        else:
            self.source = find_source(source, env, spaces[0])
            self.encode = LatentEncoder(model)
            self.space = self.encode.space

    def begin(self, shown: Array, begins: Array) -> Array:
        """Return latents `[N, D]` of what is shown `[N, *]`, first looks where `begins` `[N]`."""
        if self._filter is not None:
            return self._filter.begin(shown, begins)
        assert self.encode is not None
        return self.encode(shown)

    def step(self, actions: Array, shown: Array, begins: Array) -> Array:
        """Return latents `[N, D]` of what is shown `[N, *]` after actions `[N, *]`."""
        if self._filter is not None:
            return self._filter.step(actions, shown, begins)
        assert self.encode is not None
        return self.encode(shown)


def find_model(run: Trained, device: str | None = None) -> GenerativeModel:
    """Return a model, that of a run on the CPU where no device is named.

    Raises:
        FileNotFoundError: there is no such run.
    """
    if not isinstance(run, GenerativeModel):
        return load(run, device=device or "cpu")
    return run if device is None else run.to(device)


def find_source(
    source: Source | None, env: gym.Env | VectorEnv, observation_space: gym.Space
) -> Source:
    """Return what is encoded of an environment, alone or as one of a vector.

    Raises:
        ValueError: there is no such picture.
    """
    if source not in (None, "observation", "render"):
        raise ValueError(f"source is {source!r}: expected 'observation', 'render' or None")
    source = source or natural_source(observation_space)
    if source == "observation":
        check_pictures(str(env), observation_space)
    elif env.render_mode != "rgb_array":
        message = f"{env} has render_mode {env.render_mode!r}"
        raise ValueError(f"{message}: expected 'rgb_array', to encode what it draws")
    return source


def natural_source(observation_space: gym.Space) -> Source:
    """Return `"observation"` if observations are pictures, else `"render"`."""
    return "observation" if is_picture(observation_space) else "render"
