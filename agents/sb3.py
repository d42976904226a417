"""Stable-baselines3's PPO, A2C, DQN, SAC and TD3 behind our verbs.

They learn by their own `learn` (see `sb3_learning`); run folders, evaluation, checkpoints and
segments are those of every agent here.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete
from gymnasium.vector import VectorEnv
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import Tensor, nn

from nets.activations import activation
from nets.encoders import image_encoder
from nets.sb3 import sb3_extractor
from nets.training.seeding import hash31, seeded

from .agent import Agent, Array, Callback, Transition
from .networks import is_picture, picture_layout
from .sb3_callbacks import as_callback
from .sb3_config import (
    OffPolicyConfig,
    OnPolicyConfig,
    SB3A2CConfig,
    SB3Config,
    SB3DQNConfig,
    SB3PPOConfig,
    SB3SACConfig,
    SB3TD3Config,
    translate,
)
from .sb3_learning import Learning, Listener, Replay
from .schedules import linear

ANY_ACTIONS = (Box, Discrete, MultiDiscrete, MultiBinary)


class SB3Agent(Agent):
    """An algorithm of stable-baselines3; use one of its five kinds.

    Raises:
        TypeError: the algorithm cannot take these observations or actions.
        ValueError: a setting does not fit the environment.
    """

    algorithm: ClassVar[type[BaseAlgorithm]]
    actions: ClassVar[tuple[type[gym.Space], ...]] = ANY_ACTIONS
    config: SB3Config
    model: BaseAlgorithm

    def __init__(self, env: Any, config: Any = None, **settings: Any) -> None:
        super().__init__(env, config, **settings)
        _check_observations(self.source.name, self.observation_space)
        _check_actions(self.source.name, self.action_space, self.name, self.actions)
        pictures = _is_picture(self.observation_space)
        with seeded(hash31(self.seed, "network")):
            self.model = self.algorithm(
                policy="CnnPolicy" if pictures else "MlpPolicy",
                env=self.environments(),
                policy_kwargs=architecture(self.observation_space, self.config),
                device=self.device,
                **translate(self.config) | self.arguments(),
            )
        if self.source.spec is not None and self.model.env is not None:
            self.model.env.close()
        self.model.set_logger(Logger(None, []))
        self.model.save = self.save  # type: ignore[method-assign, assignment]  # never a pickle
        self.listener = Listener(self)

    def arguments(self) -> dict[str, Any]:
        """Return the settings that take more than another word."""
        return {"learning_rate": self.annealed(self.config.learning_rate)}

    def annealed(self, value: float) -> Callable[[float], float]:
        """Return a schedule by which `value` falls to 0 over `anneal_steps`, where there are any.

        Stable-baselines3's own depend on how many steps one call of `learn` is asked for.
        """
        steps = self.config.anneal_steps
        if not steps:
            return lambda _: value
        return lambda _: linear(self.steps, value, 0.0, steps)

    def environments(self) -> DummyVecEnv:
        """Make fresh environments side by side, in stable-baselines3's way.

        Raises:
            TypeError: the agent's environment is a vector environment that cannot be made anew.
        """
        instance = self.source.instance
        if isinstance(instance, VectorEnv):
            message = f"{self.source.name} cannot be made anew: {self.name} needs an id, or an"
            raise TypeError(f"{message} environment of which it makes copies")
        make = self.source.make if instance is None else lambda: instance
        return DummyVecEnv([lambda: Monitor(make())] * self.num_envs)

    # The loop's side ----------------------------------------------------------------------------

    def stream(self, seed: int) -> Learning:
        """Return a stream that calls stable-baselines3's `learn`."""
        return Learning(self, seed)

    def act(self, observation: Array, episode_start: Array) -> tuple[Array, Mapping[str, Array]]:
        """Choose exploring actions."""
        return self.predict(observation)[0], {}

    def observe(self, transition: Transition) -> None:
        """Refuse: stable-baselines3 learns in a loop of its own.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self.name} learns by its own loop: call learn")

    @contextmanager
    def callbacks(self, callback: Any, total_timesteps: int) -> Iterator[tuple[Callback, ...]]:
        """Let stable-baselines3's callbacks hear every step of its loop."""
        if callback is None or callable(callback):
            with super().callbacks(callback, total_timesteps) as ours:
                yield ours
            return
        self.listener.follow(as_callback(callback))
        try:
            yield (lambda _: not self.listener.stopped,)
        finally:
            self.listener.follow(None)

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimisers and counters, as tensors and numbers."""
        return {"parameters": self.model.get_parameters(), "updates": self.model._n_updates}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.model.set_parameters(state["parameters"], device=self.device)
        self.model._n_updates = state["updates"]

    @property
    def threads(self) -> int:
        """One for MLPs, which more would slow down; torch's choice for CNNs."""
        convolutional = any(isinstance(part, nn.Conv2d) for part in self.model.policy.modules())
        return torch.get_num_threads() if convolutional else 1

    # People's side ------------------------------------------------------------------------------

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Array | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """Choose greedy or exploring actions for one or N observations, as the model does."""
        batch = np.asarray(observation)
        if deterministic:
            return self.model.predict(batch, state, episode_start, deterministic=True)
        seed = int(self.rng.integers(2**31))
        self.model.action_space.seed(seed)
        with seeded(seed):
            return self.model.predict(batch, state, episode_start)


class OnPolicy(SB3Agent):
    """What PPO and A2C share."""

    config: OnPolicyConfig

    @property
    def rollout_steps(self) -> int:
        """Steps of all environments between two updates."""
        return self.config.n_steps * self.num_envs


class OffPolicy(SB3Agent):
    """What DQN, SAC and TD3 share."""

    config: OffPolicyConfig
    model: OffPolicyAlgorithm

    def arguments(self) -> dict[str, Any]:
        """Count steps between updates in rounds of all environments."""
        rounds = self.rollout_steps // self.num_envs
        return super().arguments() | {"train_freq": rounds, "replay_buffer_class": Replay}

    @property
    def replay(self) -> Replay:
        """Rows to learn from."""
        assert isinstance(self.model.replay_buffer, Replay)
        return self.model.replay_buffer

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, with an empty replay."""
        super().load_state_dict(state)
        self.replay.clear()

    def shard(self) -> dict[str, Any]:
        """The replay rows since the last call."""
        return self.replay.shard()

    def load_shard(self, shard: Mapping[str, Any]) -> None:
        """Append replay rows of an earlier segment."""
        self.replay.load_shard(shard)

    @property
    def replay_capacity(self) -> int:
        """Rows, each of all environments, that replay holds."""
        return self.replay.buffer_size

    @property
    def replay_rows(self) -> int:
        """Rows that replay has been given."""
        return self.replay.rows

    @property
    def rollout_steps(self) -> int:
        """Steps of all environments between two bursts of updates."""
        return -(-self.config.train_every // self.num_envs) * self.num_envs


class SB3PPO(OnPolicy):
    """Stable-baselines3's proximal policy optimisation."""

    name = "sb3-ppo"
    algorithm = PPO
    config_type = SB3PPOConfig
    config: SB3PPOConfig
    model: PPO

    def arguments(self) -> dict[str, Any]:
        """Let ε anneal like the learning rate.

        Raises:
            ValueError: a rollout is a single row, whose advantage cannot be normalised.
        """
        if self.rollout_steps < 2 and self.config.normalize_advantage:
            message = f"n_steps is {self.config.n_steps} on {self.num_envs} environment"
            raise ValueError(f"{message}: expected at least 2 rows, to normalise advantages")
        return super().arguments() | {"clip_range": self.annealed(self.config.clip)}


class SB3A2C(OnPolicy):
    """Stable-baselines3's advantage actor-critic."""

    name = "sb3-a2c"
    algorithm = A2C
    config_type = SB3A2CConfig
    config: SB3A2CConfig


class SB3DQN(OffPolicy):
    """Stable-baselines3's deep Q-network."""

    name = "sb3-dqn"
    algorithm = DQN
    actions = (Discrete,)
    config_type = SB3DQNConfig
    config: SB3DQNConfig
    model: DQN

    def __init__(self, env: Any, config: SB3DQNConfig | None = None, **settings: Any) -> None:
        super().__init__(env, config, **settings)
        self.model.exploration_schedule = lambda _: self.epsilon

    def stream(self, seed: int) -> Learning:
        """Return a stream whose first action explores as much as the steps so far ask for."""
        self.model.exploration_rate = self.epsilon
        return super().stream(seed)

    @property
    def epsilon(self) -> float:
        """The share of random actions now."""
        c = self.config
        return linear(self.steps, c.epsilon_start, c.epsilon_end, c.exploration_steps)

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Array | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """Choose greedy actions, or ε-greedy ones (one draw for all N, as the model does)."""
        self.model.exploration_rate = self.epsilon
        return super().predict(observation, state, episode_start, deterministic)

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimiser and counters."""
        return super().state_dict() | {"calls": self.model._n_calls}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, with an empty replay."""
        super().load_state_dict(state)
        self.model._n_calls = state["calls"]


class SB3SAC(OffPolicy):
    """Stable-baselines3's soft actor-critic."""

    name = "sb3-sac"
    algorithm = SAC
    actions = (Box,)
    config_type = SB3SACConfig
    config: SB3SACConfig
    model: SAC

    def arguments(self) -> dict[str, Any]:
        """Say "auto" where the entropy's weight, or its target, is left open."""
        words = {"ent_coef": self.config.entropy_coefficient}
        words["target_entropy"] = self.config.target_entropy
        return super().arguments() | {k: "auto" if v is None else v for k, v in words.items()}

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimisers, counters, and the entropy's weight where it is learned."""
        weight = self.model.log_ent_coef
        return super().state_dict() | {"log_weight": None if weight is None else weight.detach()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, with an empty replay."""
        super().load_state_dict(state)
        if self.model.log_ent_coef is not None:
            self.model.log_ent_coef.data.copy_(state["log_weight"])


class SB3TD3(OffPolicy):
    """Stable-baselines3's twin delayed deep deterministic policy gradient."""

    name = "sb3-td3"
    algorithm = TD3
    actions = (Box,)
    config_type = SB3TD3Config
    config: SB3TD3Config
    model: TD3

    def arguments(self) -> dict[str, Any]:
        """Add noise to training actions where it is asked for."""
        sigma, size = self.config.exploration_noise, int(np.prod(self.action_space.shape or ()))
        noise = NormalActionNoise(np.zeros(size), np.full(size, sigma)) if sigma else None
        return super().arguments() | {"action_noise": noise}


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
    if config.encoder == "auto" and not _is_picture(space):
        return common | {"net_arch": list(config.hidden)}
    if not isinstance(space, Box) or len(space.shape) not in (2, 3):
        message = f"encoder {config.encoder!r} needs pictures, but observations are {space}"
        raise ValueError(message)
    after = list(config.hidden) if config.joins_action else []
    encoder = partial(PictureEncoder, name=config.encoder)  # of the space, not of a shape
    return common | sb3_extractor(encoder, net_arch=after)


def _is_picture(space: gym.Space) -> bool:
    return isinstance(space, Box) and is_picture(space)


def _check_observations(name: str, space: gym.Space) -> None:
    if not isinstance(space, ANY_ACTIONS) or _starts_late(space):
        message = f"{name} has observations {space}: stable-baselines3 needs Box, Discrete"
        raise TypeError(f"{message} (from 0), MultiDiscrete or MultiBinary")


def _check_actions(
    name: str, space: gym.Space, algorithm: str, kinds: tuple[type[gym.Space], ...]
) -> None:
    endless = isinstance(space, Box) and not space.is_bounded()
    if not isinstance(space, kinds) or endless or _starts_late(space):
        names = {Box: "bounded Box", Discrete: "Discrete (from 0)"}
        expected = " or ".join(names.get(kind, kind.__name__) for kind in kinds)
        raise TypeError(f"{name} has actions {space}: {algorithm} needs {expected}")


def _starts_late(space: gym.Space) -> bool:
    return isinstance(space, Discrete | MultiDiscrete) and bool(np.any(space.start != 0))
