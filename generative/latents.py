"""Environments seen through a trained encoder, or through the memory of a learned world.

`LatentObservation` wraps one environment, `VectorLatentObservation` many side by side. Importing
this module also registers `dreamgym/Latent-v0`, which is made by name, alone or as a vector:

    gym.make("generative.latents:dreamgym/Latent-v0", env_id="envs:dreamgym/Catch-v0", run=RUN)
"""

from collections.abc import Mapping
from contextlib import closing
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv, VectorObservationWrapper
from gymnasium.vector.utils import batch_space

from nets.runs.places import rooted

from .data.guarded import Guarded
from .data.making import qualified
from .data.playing import make_vec
from .model import GenerativeModel
from .seeing import Array, Sight, Source, Trained, find_model, natural_source
from .seeing import LatentEncoder as LatentEncoder
from .worlds.world import World

LATENT_ID = "dreamgym/Latent-v0"


class LatentObservation(gym.Wrapper, RecordConstructorArgs):
    """Shows an agent a model's latent mean of what the environment looks like.

    Of a world with a memory it shows what the world knows after all looks of the episode.

    Args:
        env: the environment.
        run: a run folder, a file that `generative.save` wrote, or a model, which has `encode`, or
            is a world with a memory. With a path the environment's spec tells how to make it again.
        source: encode the `"observation"`, which is a picture, or what the environment
            `"render"`s, made with `render_mode="rgb_array"`; None: the first if it is a picture.
            A world sees observations.
        device: where to encode.

    Raises:
        ValueError: the environment shows no pictures, or of other channels than the model's; or
            other spaces than the world's.
        TypeError: the model has no encoder for pictures, and no memory.
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
        kept = run if isinstance(run, GenerativeModel) else rooted(run)
        RecordConstructorArgs.__init__(
            self, run=kept, source=source, device=device, _disable_deepcopy=True
        )
        super().__init__(env)
        spaces = env.observation_space, env.action_space
        self.sight = Sight(run, source, device, env, spaces, 1)
        self.source, self.encode = self.sight.source, self.sight.encode
        self.observation_space = self.sight.space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Begin an episode; what is known of the last is forgotten."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self.sight.begin(self._shown(observation), np.ones(1, bool))[0], info

    def step(self, action: Any) -> tuple[Array, SupportsFloat, bool, bool, dict[str, Any]]:
        """Act; return the latents, float32 `[D]`, and the rest as it is."""
        observation, *rest = self.env.step(action)
        shown, acted = self._shown(observation), np.asarray(action)[None]
        return self.sight.step(acted, shown, np.zeros(1, bool))[0], *rest

    def _shown(self, observation: Any) -> Array:
        seen: Any = observation if self.source == "observation" else self.env.render()
        return np.asarray(seen)[None]


class VectorLatentObservation(VectorObservationWrapper):
    """`LatentObservation` of environments side by side, which are looked at together.

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
        spaces = env.single_observation_space, env.single_action_space
        self.sight = Sight(run, source, device, env, spaces, env.num_envs)
        self.source, self.encode = self.sight.source, self.sight.encode
        self.single_observation_space = self.sight.space
        self.observation_space = batch_space(self.sight.space, env.num_envs)
        self._over = np.zeros(env.num_envs, bool)

    def reset(
        self,
        *,
        seed: Any = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Array, dict[str, Any]]:
        """Begin episodes everywhere, or where `options["reset_mask"]` is True."""
        begins = np.array((options or {}).get("reset_mask", np.ones(self.num_envs, bool)))
        observations, info = self.env.reset(seed=seed, options=options)
        self._over = self._over & ~begins
        return self.sight.begin(self._shown(observations), begins), info

    def step(self, actions: Any) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Act everywhere; return the latents, float32 `[N, D]`, and the rest as it is."""
        observations, reward, terminated, truncated, info = self.env.step(actions)
        begins, self._over = self._over, np.asarray(terminated | truncated)
        seen = self.sight.step(np.asarray(actions), self._shown(observations), begins)
        return seen, reward, terminated, truncated, info

    def _shown(self, observations: Any) -> Array:
        seen: Any = observations if self.source == "observation" else self.env.render()
        return np.asarray(seen)


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
        options, model = dict(env_kwargs or {}), find_model(run, device)
        source, draw = _plan(env_id, model, source, options, render_mode)
        options |= {"render_mode": "rgb_array"} if draw else {}
        env = gym.make(qualified(env_id), **options)
        self.behind = LatentObservation(Guarded(env), model, source=source)
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
    options, model = dict(env_kwargs or {}), find_model(run, device)
    source, draw = _plan(env_id, model, source, options, render_mode)
    env = make_vec(env_id, num_envs, draw=draw, **options)
    return VectorLatentObservation(env, model, source=source)


def _plan(
    env_id: str,
    model: GenerativeModel,
    source: Source | None,
    options: Mapping[str, Any],
    render_mode: str | None,
) -> tuple[Source, bool]:
    """Return what to encode of an environment before it is made, and whether it has to draw."""
    if source is None and isinstance(model, World):
        source = "observation"
    elif source is None:
        with closing(gym.make(qualified(env_id), **options)) as env:
            source = natural_source(env.observation_space)
    return source, source == "render" or render_mode is not None


if LATENT_ID not in gym.registry:
    gym.register(
        LATENT_ID,
        entry_point="generative.latents:LatentEnv",
        vector_entry_point="generative.latents:make_latent_vector",
    )
