"""Stable-baselines3's PPO, A2C, DQN, SAC and TD3 behind our verbs.

They learn by their own `learn` (see `sb3_learning`); run folders, evaluation, checkpoints and
segments are those of every agent here.
"""

from collections.abc import Mapping
from typing import Any, TypeVar, Unpack

import numpy as np
from gymnasium.spaces import Box, Discrete
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from nets.gradients.annealing import linear

from ..environments.source import World
from ..loop.actor import ActorOptions
from ..loop.experience import Array
from ..loop.shards import Replay
from .agent import SB3Agent
from .config import (
    OffPolicyConfig,
    OnPolicyConfig,
    SB3A2CConfig,
    SB3DQNConfig,
    SB3PPOConfig,
    SB3SACConfig,
    SB3TD3Config,
)
from .learning import Learning, RowBuffer

OnPolicyT = TypeVar("OnPolicyT", bound=OnPolicyConfig)
OffPolicyT = TypeVar("OffPolicyT", bound=OffPolicyConfig)


class OnPolicy(SB3Agent[OnPolicyT]):
    """What PPO and A2C share."""

    model: OnPolicyAlgorithm

    def follow_config(self) -> None:
        """Hand adjusted settings to the model and to its rollouts."""
        super().follow_config()
        rollouts, c = self.model.rollout_buffer, self.config
        rollouts.gamma, rollouts.gae_lambda = c.discount, c.gae_lambda

    @property
    def rollout_steps(self) -> int:
        """Steps of all environments between two updates."""
        return self.config.n_steps * self.num_envs


class OffPolicy(SB3Agent[OffPolicyT]):
    """What DQN, SAC and TD3 share."""

    model: OffPolicyAlgorithm
    replay: RowBuffer

    def __init__(
        self, env: World, config: OffPolicyT | None = None, **options: Unpack[ActorOptions]
    ) -> None:
        super().__init__(env, config, **options)
        assert isinstance(self.model.replay_buffer, RowBuffer)
        self.replay = self.model.replay_buffer

    def arguments(self) -> dict[str, Any]:
        """Count steps between updates in rounds of all environments."""
        rounds = self.rollout_steps // self.num_envs
        return super().arguments() | {"train_freq": rounds, "replay_buffer_class": RowBuffer}

    def adopt(self, replay: Replay) -> None:
        """Learn from this replay from now on."""
        assert isinstance(replay, RowBuffer)
        self.replay = self.model.replay_buffer = replay

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, with an empty replay."""
        super().load_state_dict(state)
        self.replay.clear()

    def idle(self, steps: int) -> str:
        """Name `train_every` or `learning_starts` where no burst of updates is after it in time."""
        starts, burst = self.config.learning_starts, self.rollout_steps
        if burst > steps:
            return f"train_every is {self.config.train_every}"
        return f"learning_starts is {starts}" * (-(-steps // burst) * burst <= starts)

    @property
    def rollout_steps(self) -> int:
        """Steps of all environments between two bursts of updates."""
        return -(-self.config.train_every // self.num_envs) * self.num_envs


class SB3PPO(OnPolicy[SB3PPOConfig]):
    """Stable-baselines3's proximal policy optimisation."""

    name = "sb3-ppo"
    algorithm = PPO
    config_type = SB3PPOConfig
    model: PPO

    def arguments(self) -> dict[str, Any]:
        """Let ε fall like the learning rate.

        Raises:
            ValueError: a rollout is a single row, whose advantage cannot be normalised.
        """
        if self.rollout_steps < 2 and self.config.normalize_advantage:
            message = f"n_steps is {self.config.n_steps} on {self.num_envs} environment"
            raise ValueError(f"{message}: expected at least 2 rows, to normalise advantages")
        return super().arguments() | {"clip_range": self.scheduled("clip")}


class SB3A2C(OnPolicy[SB3A2CConfig]):
    """Stable-baselines3's advantage actor-critic."""

    name = "sb3-a2c"
    algorithm = A2C
    config_type = SB3A2CConfig


class SB3DQN(OffPolicy[SB3DQNConfig]):
    """Stable-baselines3's deep Q-network."""

    name = "sb3-dqn"
    algorithm = DQN
    actions = (Discrete,)
    config_type = SB3DQNConfig
    model: DQN

    def __init__(
        self, env: World, config: SB3DQNConfig | None = None, **options: Unpack[ActorOptions]
    ) -> None:
        super().__init__(env, config, **options)
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

    def choose(
        self,
        observation: Array,
        state: Any,
        episode_start: Array | None,
        deterministic: bool,
        mask: Array | None = None,
    ) -> tuple[Array, Any]:
        """Choose greedy actions, or ε-greedy ones (one draw for all N, as the model does)."""
        self.model.exploration_rate = self.epsilon
        return super().choose(observation, state, episode_start, deterministic, mask)

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimiser and counters."""
        return super().state_dict() | {"calls": self.model._n_calls}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, with an empty replay."""
        super().load_state_dict(state)
        self.model._n_calls = state["calls"]


class SB3SAC(OffPolicy[SB3SACConfig]):
    """Stable-baselines3's soft actor-critic."""

    name = "sb3-sac"
    algorithm = SAC
    actions = (Box,)
    config_type = SB3SACConfig
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


class SB3TD3(OffPolicy[SB3TD3Config]):
    """Stable-baselines3's twin delayed deep deterministic policy gradient."""

    name = "sb3-td3"
    algorithm = TD3
    actions = (Box,)
    config_type = SB3TD3Config
    model: TD3

    def arguments(self) -> dict[str, Any]:
        """Add noise to training actions where it is asked for."""
        sigma, size = self.config.exploration_noise, int(np.prod(self.action_space.shape or ()))
        noise = NormalActionNoise(np.zeros(size), np.full(size, sigma)) if sigma else None
        return super().arguments() | {"action_noise": noise}
