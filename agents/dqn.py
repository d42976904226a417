"""Deep Q-networks (Mnih et al., 2015), with double, dueling and n-step learning as settings."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from nets.backprop import backprop
from nets.heads import DuelingHead
from nets.optim import clip_grads, optimizer
from nets.training.flat import flatten_parameters
from nets.training.seeding import hash31, seeded

from .agent import Agent, Array, Metrics, Transition
from .buffers import Batch, NStep, ReplayBuffer
from .exploration import epsilon_greedy
from .networks import build_encoder, numpy_forward
from .schedules import linear
from .targets import double_q_learning_target, huber_slope, q_learning_target, squared_slope

SLOPES = {"huber": huber_slope, "mse": squared_slope}
TARGET_ROWS = 512


@dataclass(frozen=True)
class DQNConfig:
    """Settings of DQN; the defaults suit small observation vectors."""

    hidden: tuple[int, ...] = (128, 128)
    """Hidden layers of the MLP."""
    activation: str = "relu"
    """Activation of the MLP."""
    encoder: Literal["auto", "mlp", "nature", "impala", "small-cnn"] = "auto"
    """Network for observations; auto takes a CNN for pictures, an MLP otherwise."""
    discount: float = 0.99
    """γ, in [0, 1]."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    batch_size: int = 64
    """Rows per gradient step."""
    buffer_size: int = 100_000
    """Rows of replay."""
    learning_starts: int = 1_000
    """Environment steps before the first update."""
    train_every: int = 4
    """Environment steps between bursts of updates."""
    gradient_steps: int = 1
    """Updates per burst."""
    target_every: int = 500
    """Environment steps between copies to the target network (hard updates)."""
    target_rate: float = 1.0
    """1: hard updates. Below 1: target ← (1 − rate) · target + rate · online at every update."""
    epsilon_start: float = 1.0
    """Share of random actions at the beginning."""
    epsilon_end: float = 0.05
    """Share of random actions after `exploration_steps`."""
    exploration_steps: int = 10_000
    """Environment steps over which the share of random actions falls."""
    double: bool = True
    """Whether the online network chooses the action that the target network values."""
    dueling: bool = False
    """Whether the head is Q = V + A − mean(A)."""
    n_step: int = 1
    """Steps of reward before the bootstrap."""
    loss: Literal["huber", "mse"] = "huber"
    """Loss of the temporal-difference error."""
    max_grad_norm: float = 10.0
    """Largest global norm of a gradient."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        counts = ("batch_size", "buffer_size", "train_every", "gradient_steps", "target_every")
        for name in (*counts, "n_step"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: expected at least 1")
        if self.loss not in SLOPES:
            raise ValueError(f"loss is {self.loss!r}: expected one of {', '.join(SLOPES)}")
        if not 0.0 <= self.discount <= 1.0:
            raise ValueError(f"discount is {self.discount}: expected a number in [0, 1]")
        if not 0.0 < self.target_rate <= 1.0:
            raise ValueError(f"target_rate is {self.target_rate}: expected a number in (0, 1]")


class DQN(Agent):
    """Q-learning with a neural network, a replay buffer and a target network (SPEC A-FA-02).

    Minimises the Huber loss (or the squared error) of q(sₜ₋₁, aₜ₋₁) − yₜ, where
    yₜ = rₜ + γ · (1 − terminatedₜ) · maxₐ q_target(sₜ, a).
    """

    name = "dqn"
    config_type = DQNConfig
    config: DQNConfig

    def __init__(self, env: Any, config: DQNConfig | None = None, **settings: Any) -> None:
        super().__init__(env, config, **settings)
        if not isinstance(self.action_space, gym.spaces.Discrete):
            message = f"{self.source.name} has actions {self.action_space}: DQN needs Discrete"
            raise TypeError(message)
        with seeded(hash31(self.seed, "network")):
            online = self._build().to(self.device)
        self.online, self.target = online, deepcopy(online)
        self.learner = backprop(self.online)
        self.target_weights = flatten_parameters(self.target).detach()  # [P]
        self.optimizer = optimizer("adam", [self.learner.weights], lr=self.config.learning_rate)
        self.replay = ReplayBuffer(
            self.config.buffer_size, self.observation_space, self.action_space
        )
        self.updates = 0
        self._first_action = int(self.action_space.start)
        self._fast = numpy_forward(self.online)

    def _build(self) -> nn.Module:
        c, actions = self.config, int(self.action_space.n)  # type: ignore[attr-defined]
        body, features = build_encoder(
            self.observation_space, encoder=c.encoder, hidden=c.hidden, activation=c.activation
        )
        head = DuelingHead(features, actions) if c.dueling else nn.Linear(features, actions)
        return nn.Sequential(body, head)

    @property
    def epsilon(self) -> float:
        """The share of random actions now."""
        c = self.config
        return linear(self.steps, c.epsilon_start, c.epsilon_end, c.exploration_steps)

    def q_values(self, observation: Array) -> Array:
        """Return action values `[N, A]` of observations `[N, *]`."""
        if self._fast is not None:
            return self._fast(observation)
        members = np.asarray(observation, self.observation_space.dtype)  # some worlds give float64
        with torch.inference_mode():
            return self.online(torch.as_tensor(members).to(self.device)).cpu().numpy()

    def reseed(self, seed: int) -> None:
        """Begin the agent's generator anew, with no n-step row open."""
        super().reseed(seed)
        self.n_step = NStep(self.config.n_step, self.config.discount, self.num_envs)

    def act(self, observation: Array, episode_start: Array) -> tuple[Array, Mapping[str, Array]]:
        """Choose ε-greedy actions."""
        action = epsilon_greedy(self.q_values(observation), self.epsilon, self.rng)
        return action + self._first_action, {}

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Array | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """Choose greedy actions, or ε-greedy ones with the final ε, for one or N observations."""
        batch = np.asarray(observation)
        single = batch.shape == self.observation_space.shape
        values = self.q_values(batch[None] if single else batch)
        if deterministic:
            action = values.argmax(axis=1)
        else:
            action = epsilon_greedy(values, self.config.epsilon_end, self.rng)
        action = action + self._first_action
        return (action[0] if single else action), state

    def observe(self, transition: Transition) -> Metrics | None:
        """Remember a transition; every `train_every` steps, learn from replay."""
        rows = self.n_step.push(transition)
        if rows is not None:
            self.replay.append(rows)
        c = self.config
        if c.target_rate == 1.0 and self._passed(c.target_every):
            self.target_weights.copy_(self.learner.weights.detach())
        updates = self._passed(c.train_every) * c.gradient_steps
        if not updates or self.steps < c.learning_starts or not self.replay.rows:
            return None
        if c.target_rate == 1.0:
            return self.update(self._sample(updates))
        for _ in range(updates):
            metrics = self.update(self._sample(1))
            self.target_weights.lerp_(self.learner.weights.detach(), c.target_rate)
        return metrics

    @torch.no_grad()
    def update(self, batch: Batch) -> Metrics:
        """Take one gradient step per minibatch of `[K, B]` rows, the target network fixed.

        The loss L = mean ℓ(q(sₜ₋₁, aₜ₋₁) − yₜ) enters through its slope: dL/dq is ℓ'(error) / B at
        the action taken, and 0 at the others.
        """
        c, (batches, batch_size) = self.config, batch.reward.shape
        q_t = self._target_values(batch.next_observation)  # [K, B, A]
        targets = q_learning_target(batch.reward, batch.discount, q_t)  # [K, B]
        actions = (batch.action - self._first_action).unsqueeze(-1)  # [K, B, 1]
        for k in range(batches):
            y_t = targets[k]  # [B]
            if c.double:
                rows = batch.minibatch(k)
                selector = self.online(rows.next_observation)  # [B, A]
                y_t = double_q_learning_target(rows.reward, rows.discount, q_t[k], selector)
            with torch.enable_grad():
                q_tm1 = self.learner.forward(batch.observation[k])  # [B, A]
            error = q_tm1.gather(-1, actions[k]) - y_t.unsqueeze(-1)  # [B, 1]
            slope = SLOPES[c.loss](error) / batch_size
            self.learner.backward(torch.zeros_like(q_tm1).scatter_(-1, actions[k], slope))
            clip_grads([self.learner.weights], global_norm=c.max_grad_norm)
            self.optimizer.step()
        self.updates += batches
        return {
            "td_error": error.abs().mean(),
            "value": q_tm1.amax(dim=-1).mean(),
            "epsilon": self.epsilon,
        }

    def _target_values(self, observation: Tensor) -> Tensor:
        """Evaluate the target network in pieces that stay in the cache; `[K, B, A]`."""
        rows = observation.flatten(0, 1).split(TARGET_ROWS)
        values = torch.cat([self.target(piece) for piece in rows])  # [K · B, A]
        return values.unflatten(0, observation.shape[:2])

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimiser and counters."""
        return {
            "online": self.online.state_dict(),
            "target": self.target.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "updates": self.updates,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, with an empty replay."""
        self.online.load_state_dict(state["online"])
        self.target.load_state_dict(state["target"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.updates = state["updates"]
        self.replay.clear()

    def shard(self) -> dict[str, Any]:
        """The replay rows since the last call."""
        return self.replay.shard()

    def load_shard(self, shard: Mapping[str, Any]) -> None:
        """Append replay rows of an earlier segment."""
        self.replay.load_shard(shard)

    @property
    def replay_capacity(self) -> int:
        """Rows that replay holds."""
        return self.replay.capacity

    @property
    def replay_rows(self) -> int:
        """Rows that replay has been given."""
        return self.replay.rows

    @property
    def threads(self) -> int:
        """One for MLPs, which more would slow down; torch's choice for CNNs."""
        convolutional = any(isinstance(module, nn.Conv2d) for module in self.online.modules())
        return torch.get_num_threads() if convolutional else 1

    def _sample(self, batches: int) -> Batch:
        return self.replay.sample(self.rng, batches, self.config.batch_size).to(self.device)

    def _passed(self, every: int) -> int:
        """How many multiples of `every` the last step of all environments passed."""
        return self.steps // every - (self.steps - self.num_envs) // every
