"""What agents that learn a policy by its gradient share: acting, and gathering rollouts."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar, Unpack

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from nets.gradients.flat_adam import FlatAdam
from nets.gradients.modes import freeze
from nets.gradients.optim import clip_grads, set_rate
from nets.process.distributed import Team
from nets.process.seeding import hash31, seeded

from ..agent import Agent
from ..environments.source import World
from ..equations.losses import Loss
from ..equations.masks import masked
from ..equations.schedules import current
from ..loop.actor import ActorOptions
from ..loop.divergence import require_finite_outputs
from ..loop.experience import Array, Metrics, Transition
from ..networks.encoders import place
from ..networks.pictures import is_picture
from ..networks.pretraining import load_encoder
from .actions import action_model
from .actor_critic import ActorCritic, FastActorCritic
from .config import PolicyConfig
from .model import Distribution
from .normalization import ObservationNorm, RewardNorm
from .rollout import Rollout, RolloutBuffer

ConfigT = TypeVar("ConfigT", bound=PolicyConfig)


class PolicyGradient(Agent[ConfigT]):
    """Acts by a policy network, gathers rollouts, and leaves to `update` what to make of them."""

    default_num_envs = 8
    inherited = ("network", "observation_norm", "reward_norm")
    learns_together = True

    @torch.inference_mode(False)
    def __init__(
        self, env: World, config: ConfigT | None = None, **options: Unpack[ActorOptions]
    ) -> None:
        super().__init__(env, config, **options)
        c = self.config
        with seeded(hash31(self.seed, "network")):
            self.actions = action_model(self.action_space, squash=c.squash, log_std=c.log_std)
            network = ActorCritic(
                self.observation_space,
                self.actions,
                encoder=c.encoder,
                memory=c.memory,
                channels=c.channels,
                hidden=c.hidden,
                activation=c.activation,
                memory_size=c.memory_size,
            )
        if c.freeze_encoder:
            freeze(network.body)
        network = place(network, self.observation_space, self.device, c.precision, c.channels)
        self.network = FastActorCritic(network)
        rate = self.scheduled("learning_rate")
        self.optimizer = FlatAdam(self.network.weights, lr=rate, eps=1e-5)
        self.observation_norm = self._observation_norm() if c.normalize_observation else None
        self.reward_norm = RewardNorm() if c.normalize_reward else None
        self.updates = 0

    def join(self, team: Team) -> None:
        """Learn with others: environments, and rows of gradients, are dealt out to all."""
        super().join(team)
        self.network.team = team

    def begin(self) -> None:
        """Load a pretrained encoder, if there is to be one."""
        super().begin()
        if self.config.pretrained:
            load_encoder([self.network.module.body], self.config.pretrained)

    @abstractmethod
    def update(self, rollout: Rollout) -> Metrics:
        """Learn from a rollout."""

    # Acting -------------------------------------------------------------------------------------

    def reseed(self, seed: int) -> None:
        """Begin the agent's generator anew, with nothing gathered and nothing in memory."""
        super().reseed(seed)
        self.buffer = RolloutBuffer()
        self.state: Tensor | None = None
        self._reward_sums = np.zeros(self.num_envs)

    def policy(
        self, x: Array, state: Tensor | None, start: Array | None
    ) -> tuple[Array, Tensor | None]:
        """Return the policy's outputs `[N, size]` for what it sees, and the memory's state."""
        return self.network.policy(x, state, start)

    def draw(
        self, x: Array, state: Tensor | None, start: Array, mask: Array | None
    ) -> tuple[Array, Tensor | None]:
        """Return choices `[N, *]` drawn from the policy in training, and the memory's state."""
        outputs, state = self.policy(x, state, start)
        return self.actions.sample(masked(outputs, mask), self.rng), state

    def values(self, observation: Array, state: Tensor | None = None) -> Array:
        """Return v(s) `[N]` of N observations, `state` being the memory's before them."""
        return self.network.value(self._seen(observation), state)

    def act(
        self, observation: Array, episode_start: Array, mask: Array | None = None
    ) -> tuple[Array, Mapping[str, Array]]:
        """Draw actions from the policy; the extras are what a rollout needs beside them."""
        before, seen = self.state, self._seen(observation)
        choice, self.state = self.draw(seen, before, episode_start, mask)
        extras = {"seen": seen, "choice": choice, "start": episode_start}
        if before is not None:
            extras["state"] = before.cpu().numpy()
        return self.actions.to_space(choice), extras

    def choose(
        self,
        observation: Array,
        state: Any,
        episode_start: Array | None,
        deterministic: bool,
        mask: Array | None = None,
    ) -> tuple[Array, Any]:
        """Choose the most probable actions, or draw them."""
        outputs, state = self.policy(self._seen(observation), state, episode_start)
        require_finite_outputs(self, outputs)
        outputs = masked(outputs, mask)
        if deterministic:
            return self.actions.to_space(self.actions.mode(outputs)), state
        return self.actions.to_space(self.actions.sample(outputs, self.rng)), state

    # Learning -----------------------------------------------------------------------------------

    def gather(self, transition: Transition, last: bool) -> None:
        """Remember a transition, with the values that learning will bootstrap from."""
        needed = last or np.count_nonzero(transition.truncated)
        after = self.values(transition.next_observation, self.state) if needed else None
        self.buffer.append(transition, after)

    def learn_from_buffer(self) -> Metrics:
        """Learn from all that was gathered, count it into the statistics, and forget it."""
        c, buffer = self.config, self.buffer
        reward, valid = buffer.column("reward"), buffer.column("valid")
        scaled = reward if self.reward_norm is None else self.reward_norm(reward)
        set_rate(self.optimizer, self.scheduled("learning_rate"))
        metrics = self.update(buffer.rollout(scaled, valid, c.discount, self.taken))
        if self.observation_norm is not None:
            self.observation_norm.update(buffer.column("observation")[valid])
        if self.reward_norm is not None:
            ended = buffer.column("terminated") | buffer.column("truncated")
            self._reward_sums = self.reward_norm.update(
                reward, ended | ~valid, valid, self._reward_sums, c.discount
            )
        buffer.clear()
        self.updates += 1
        return metrics

    def taken(self, gathered: Array) -> Any:
        """Return what was gathered as `update` takes it: a tensor."""
        return torch.from_numpy(gathered).to(self.device)

    def descend(
        self,
        outputs: Tensor,
        distribution: Distribution,
        choice: Tensor,
        *,
        policy: Loss,
        value: Loss,
        weight: Tensor,
    ) -> None:
        """Take one gradient step on L = Σ w · (L_π + c_v · L_v − c_e · H), by its slopes.

        Args:
            outputs: of `self.network.forward`, masked where actions are, `[T, B, size]`.
            distribution: what they describe.
            choice: what was chosen.
            policy: L_π, its slope in log π, `[T, B]`.
            value: L_v, its slope in v, `[T, B]`.
            weight: w of each row, `[T, B]`.
        """
        c, weights = self.config, self.network.weights
        weights.grad.zero_()  # type: ignore[union-attr]
        bonus = -c.entropy_coefficient * weight if c.entropy_coefficient else None
        slope = self.actions.slope(outputs, distribution, choice, policy.slope * weight, bonus)
        self.network.backward(slope, c.value_coefficient * weight * value.slope)
        clip_grads([weights], global_norm=c.max_grad_norm)
        self.optimizer.step()

    def scheduled(self, name: str) -> float:
        """Return a setting as it is now, between the beginning of the training and its end."""
        return current(self.config, name, self.steps, self.horizon)

    # Keeping ------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Network, optimiser, statistics and counter."""
        state = {
            "network": self.network.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "updates": self.updates,
        }
        return state | {name: norm.statistics.state_dict() for name, norm in self._norms()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.network.module.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.updates = state["updates"]
        for name, norm in self._norms():
            norm.statistics.load_state_dict(state[name])
        if self.observation_norm is not None:
            self.observation_norm.refresh()

    def _norms(self) -> list[tuple[str, ObservationNorm | RewardNorm]]:
        named = {"observation_norm": self.observation_norm, "reward_norm": self.reward_norm}
        return [(name, norm) for name, norm in named.items() if norm is not None]

    def _observation_norm(self) -> ObservationNorm:
        space = self.observation_space
        if not isinstance(space, gym.spaces.Box) or is_picture(space):
            message = f"normalize_observation needs vectors, but {self.source.name} shows {space}"
            raise TypeError(message)
        return ObservationNorm(space.shape)

    def _seen(self, observation: Array) -> Array:
        """Return observations as the network sees them."""
        if self.observation_norm is not None:
            return self.observation_norm(observation)
        return observation
