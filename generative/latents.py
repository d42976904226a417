"""Environments seen through a trained encoder: latents instead of pixels.

`LatentObservation` wraps one environment, `VectorLatentObservation` many side by side. Importing
this module also registers `dreamgym/Latent-v0`, which is made by name, alone or as a vector:

    gym.make("generative.latents:dreamgym/Latent-v0", env_id="envs:dreamgym/Catch-v0", run=RUN)
"""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import torch
from gymnasium.spaces import Box
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv, VectorObservationWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from .data.frames import check_pictures, is_picture, make_vec, qualified
from .data.pictures import channels_first, resized
from .loading import load
from .model import Encodes, GenerativeModel

Array = NDArray[Any]
Source = Literal["observation", "render"]
Trained = str | Path | GenerativeModel

LATENT_ID = "dreamgym/Latent-v0"


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
        if not isinstance(run, GenerativeModel):
            run = load(run, device=device or "cpu")
        elif device is not None:
            run = run.to(device)
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


class LatentObservation(gym.ObservationWrapper, RecordConstructorArgs):
    """Shows an agent a model's latent mean of what the environment looks like.

    Args:
        env: the environment.
        run: a run folder, a file that `generative.save` wrote, or a model with `encode`. With a
            path the environment's spec tells how to make it again.
        source: encode the `"observation"`, which is a picture, or what the environment
            `"render"`s, made with `render_mode="rgb_array"`; None: the first if it is a picture.
        device: where to encode.

    Raises:
        ValueError: the environment shows no pictures, or of other channels than the model's.
        TypeError: the model has no encoder for pictures.
        FileNotFoundError: there is no such run.
    """

    def __init__(
        self,
        env: gym.Env,
        run: Trained,
        *,
        source: Source | None = None,
        device: str | None = None,
    ) -> None:
        kept = run if isinstance(run, GenerativeModel) else str(Path(run).resolve())
        RecordConstructorArgs.__init__(
            self, run=kept, source=source, device=device, _disable_deepcopy=True
        )
        super().__init__(env)
        self.source = find_source(source, env, env.observation_space)
        self.encode = LatentEncoder(run, device)
        self.observation_space = self.encode.space

    def observation(self, observation: Any) -> Array:
        """Return the latent mean, float32 `[D]`."""
        picture: Any = observation if self.source == "observation" else self.env.render()
        return self.encode(np.asarray(picture)[None])[0]


class VectorLatentObservation(VectorObservationWrapper):
    """`LatentObservation` of environments side by side, whose pictures are encoded together.

    Raises:
        ValueError: as there; or the autoreset mode is SAME_STEP, in which nobody sees the last
            picture of an episode.
    """

    def __init__(
        self,
        env: VectorEnv,
        run: Trained,
        *,
        source: Source | None = None,
        device: str | None = None,
    ) -> None:
        super().__init__(env)
        self.source = find_source(source, env, env.single_observation_space)
        self.encode = LatentEncoder(run, device)
        self.single_observation_space = self.encode.space
        self.observation_space = batch_space(self.encode.space, env.num_envs)

    def observations(self, observations: Any) -> Array:
        """Return the latent means, float32 `[N, D]`."""
        pictures: Any = observations if self.source == "observation" else self.env.render()
        return self.encode(np.asarray(pictures))


class LatentEnv(gym.Env):
    """`dreamgym/Latent-v0`: an environment of its own, so that its spec is all that it takes.

    The environment behind is `env_id`, made with `env_kwargs`; its pictures can be seen where
    `render_mode` is `"rgb_array"`. All else is as in `LatentObservation`.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(
        self,
        env_id: str,
        run: str,
        *,
        source: Source | None = None,
        device: str | None = None,
        env_kwargs: Mapping[str, Any] | None = None,
        render_mode: str | None = None,
    ) -> None:
        options = dict(env_kwargs or {})
        source, draw = _plan(env_id, source, options, render_mode)
        options |= {"render_mode": "rgb_array"} if draw else {}
        env = gym.make(qualified(env_id), **options)
        self.behind = LatentObservation(env, run, source=source, device=device)
        self.render_mode = render_mode
        self.observation_space = self.behind.observation_space
        self.action_space = self.behind.action_space
        self.metadata = self.behind.metadata | {"render_modes": ["rgb_array"]}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        return self.behind.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Act."""
        observation, reward, terminated, truncated, info = self.behind.step(action)
        return observation, float(reward), terminated, truncated, info

    def render(self) -> Any:
        """Return what the environment behind looks like, uint8 `[H, W, 3]`."""
        return None if self.render_mode is None else self.behind.render()

    def close(self) -> None:
        """Close the environment behind."""
        self.behind.close()


def make_latent_vector(
    num_envs: int,
    env_id: str,
    run: str,
    *,
    source: Source | None = None,
    device: str | None = None,
    env_kwargs: Mapping[str, Any] | None = None,
    render_mode: str | None = None,
) -> VectorLatentObservation:
    """Make `dreamgym/Latent-v0` as a vector, in autoreset mode NEXT_STEP; see `LatentEnv`."""
    options = dict(env_kwargs or {})
    source, draw = _plan(env_id, source, options, render_mode)
    env = make_vec(env_id, num_envs, draw=draw, **options)
    return VectorLatentObservation(env, run, source=source, device=device)


def find_source(
    source: Source | None, env: gym.Env | VectorEnv, observation_space: gym.Space
) -> Source:
    """Return what is encoded of an environment, alone or as one of a vector.

    Raises:
        ValueError: there is no such picture.
    """
    if source not in (None, "observation", "render"):
        raise ValueError(f"source is {source!r}: expected 'observation', 'render' or None")
    source = source or _natural_source(observation_space)
    if source == "observation":
        check_pictures(str(env), observation_space)
    elif env.render_mode != "rgb_array":
        message = f"{env} has render_mode {env.render_mode!r}"
        raise ValueError(f"{message}: expected 'rgb_array', to encode what it draws")
    return source


def _plan(
    env_id: str, source: Source | None, options: Mapping[str, Any], render_mode: str | None
) -> tuple[Source, bool]:
    """Return what to encode of an environment before it is made, and whether it has to draw."""
    if source is None:
        with closing(gym.make(qualified(env_id), **options)) as env:
            source = _natural_source(env.observation_space)
    return source, source == "render" or render_mode is not None


def _natural_source(observation_space: gym.Space) -> Source:
    """Return `"observation"` if observations are pictures, else `"render"`."""
    return "observation" if is_picture(observation_space) else "render"


if LATENT_ID not in gym.registry:
    gym.register(
        LATENT_ID,
        entry_point="generative.latents:LatentEnv",
        vector_entry_point="generative.latents:make_latent_vector",
    )
