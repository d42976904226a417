"""Deep Q-networks (Mnih et al., 2015); what came after them is a setting each."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from nets.gradients.backprop import backprop
from nets.gradients.flat import flatten_parameters
from nets.gradients.modes import freeze
from nets.gradients.optim import clip_grads, optimizer
from nets.process.seeding import hash31, seeded

from ..agent import Agent
from ..equations.exploration import epsilon_greedy
from ..loop.experience import Array, Metrics, Transition
from ..networks.encoders import place
from ..networks.fast import numpy_forward
from ..networks.pretraining import load_encoder
from .build import build_network, build_recorder, build_replay, build_return_model
from .config import DQNConfig
from .replay import ReplayBuffer
from .rows import Batch


class DQN(Agent):
    """Q-learning with a neural network, a replay buffer and a target network (SPEC A-FA-02).

    Minimises the Huber loss (or the squared error) of q(sₜ₋₁, aₜ₋₁) − yₜ, where
    yₜ = rₜ + γ · (1 − terminatedₜ) · maxₐ q_target(sₜ, a).
    """

    name = "dqn"
    config_type = DQNConfig
    config: DQNConfig
    replay: ReplayBuffer

    def __init__(self, env: Any, config: DQNConfig | None = None, **settings: Any) -> None:
        super().__init__(env, config, **settings)
        if not isinstance(self.action_space, gym.spaces.Discrete):
            message = f"{self.source.name} has actions {self.action_space}: DQN needs Discrete"
            raise TypeError(message)
        c, actions = self.config, int(self.action_space.n)
        self.returns = build_return_model(c, self.device)
        with seeded(hash31(self.seed, "network")):
            online = build_network(c, self.observation_space, actions, self.returns.size)
        if c.freeze_encoder:
            freeze(online.body)
        self.online = place(online, self.observation_space, self.device, c.precision)
        self.target = deepcopy(self.online)
        self.learner = backprop(self.online)
        self.target_weights = flatten_parameters(self.target).detach()  # [P]
        self.optimizer = optimizer("adam", [self.learner.weights], lr=c.learning_rate)
        self.replay = build_replay(c, self._spaces, self.recorder)
        self.updates = 0
        self._first_action = int(self.action_space.start)
        fast = numpy_forward(self.online)
        self._fast = None if fast is None else self.returns.on_arrays(fast)

    @property
    def epsilon(self) -> float:
        """The share of random actions now."""
        return self.config.epsilon(self.steps)

    @property
    def _spaces(self) -> tuple[gym.Space, gym.Space]:
        return self.observation_space, self.action_space

    def begin(self) -> None:
        """Load a pretrained encoder, if there is to be one."""
        if self.config.pretrained:
            load_encoder([self.online.body, self.target.body], self.config.pretrained)

    def reseed(self, seed: int) -> None:
        """Begin the agent's generator anew, with no row open and nothing in memory."""
        super().reseed(seed)
        self.recorder = build_recorder(self.config, self._spaces, self.num_envs)
        self.state: Tensor | None = None

    def q_values(self, observation: Array, *, noise: bool = True) -> Array:
        """Return action values `[N, A]` of observations `[N, *]`, each the first of an episode.

        Args:
            observation: N members of the space.
            noise: whether noisy layers draw; else they take their means.
        """
        return self._values(observation, None, None, noise=noise)[0]

    def _values(
        self, observation: Array, state: Tensor | None, start: Array | None, *, noise: bool = True
    ) -> tuple[Array, Tensor | None]:
        """Return action values `[N, A]`, and the memory's state after them.

        Args:
            observation: N members of the space.
            state: of the memory, before them; None is 0.
            start: where an episode begins, bool `[N]`.
            noise: see `q_values`.
        """
        if self._fast is not None:
            return self._fast(observation), state
        members = np.asarray(observation, self.observation_space.dtype)  # some worlds give float64
        starts = None
        if state is not None and start is not None:
            starts = torch.as_tensor(start).to(self.device)
        if not noise:
            self.online.eval()
        with torch.inference_mode():
            inputs = torch.as_tensor(members).to(self.device)
            outputs, state = self.online.step(inputs, state, starts)
            values = self.returns.values(outputs).cpu().numpy()
        if not noise:
            self.online.train()
        return values, state

    def act(self, observation: Array, episode_start: Array) -> tuple[Array, Mapping[str, Array]]:
        """Choose ε-greedy actions; a memory's state before them is an extra."""
        before = self.state
        values, self.state = self._values(observation, before, episode_start)
        action = epsilon_greedy(values, self.epsilon, self.rng)
        extras = {} if before is None else {"state": before.cpu().numpy()}
        return action + self._first_action, extras

    def choose(
        self, observation: Array, state: Any, episode_start: Array | None, deterministic: bool
    ) -> tuple[Array, Any]:
        """Choose greedy actions, or ε-greedy ones with the final ε."""
        values, state = self._values(observation, state, episode_start, noise=not deterministic)
        if deterministic:
            action = values.argmax(axis=1)
        else:
            final = self.config.epsilon(self.config.exploration_steps)
            action = epsilon_greedy(values, final, self.rng)
        return action + self._first_action, state

    def observe(self, transition: Transition) -> Metrics | None:
        """Remember a transition; every `train_every` steps, learn from replay."""
        rows = self.recorder.push(transition)
        if rows is not None:
            self.replay.append(rows)
        c = self.config
        if c.target_rate == 1.0 and self._passed(c.target_every):
            self.target_weights.copy_(self.learner.weights.detach())
        updates = self._passed(c.train_every) * c.gradient_steps
        if not updates or self.steps < c.learning_starts or not self.replay.rows:
            return None
        if c.target_rate == 1.0:
            return self._learn(updates)
        for _ in range(updates):
            metrics = self._learn(1)
            self.target_weights.lerp_(self.learner.weights.detach(), c.target_rate)
        return metrics

    def _learn(self, updates: int) -> Metrics:
        """Take gradient steps on rows of replay, whose sampler sees the errors afterwards."""
        c = self.config
        correction = c.correction(self.steps)
        batch, places = self.replay.sample(self.rng, updates, c.batch_size, correction)
        batch = batch.to(self.device)
        metrics, error = self.update(batch)
        self.replay.sampler.renew(places, batch.priorities(error))
        return metrics

    @torch.no_grad()
    def update(self, batch: Batch) -> tuple[Metrics, Tensor]:
        """Take one gradient step per minibatch, the target network fixed.

        The loss L = Σ weight · ℓ(outputs, target) enters through its slope dL/d(outputs), which is
        0 for the actions not taken.

        Returns:
            Metrics, means over the last minibatch; and the error of every row `[K, B]`.
        """
        actions, errors = batch.action - self._first_action, []
        rows = zip(batch.observation, actions, batch.weight, self._targets(batch), strict=True)
        for observation, action, weight, target in rows:
            with torch.enable_grad():
                outputs = self.learner.forward(observation)  # [B, A · size]
            slope, error = self.returns.slope(outputs, action, target, weight)
            self.learner.backward(slope)
            clip_grads([self.learner.weights], global_norm=self.config.max_grad_norm)
            self.optimizer.step()
            errors.append(error)
        self.updates += len(errors)
        value = self.returns.values(outputs).amax(dim=-1)  # [B]
        metrics = {
            self.returns.error_name: (weight * error.abs()).sum() / weight.sum(),
            "value": (weight * value).sum() / weight.sum(),
            "epsilon": self.epsilon,
        }
        return metrics, torch.stack(errors).abs()

    def _targets(self, batch: Batch) -> Iterator[Tensor]:
        """Yield the target of one minibatch after the other, each when it is asked for.

        With double learning the online network of that moment chooses the next action.
        """
        after = self.target.minibatches(batch.next_observation)  # [K, B, A · size]
        if not self.config.double:
            yield from self.returns.target(batch.reward, batch.discount, after, after)
            return
        for k, observation in enumerate(batch.next_observation):
            selector = self.online(observation)  # [B, A · size]
            yield self.returns.target(batch.reward[k], batch.discount[k], after[k], selector)

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimiser and counters."""
        return {
            "online": self.online.state_dict(),
            "target": self.target.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "updates": self.updates,
            "sampler": self.replay.sampler.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, with an empty replay."""
        self.online.load_state_dict(state["online"])
        self.target.load_state_dict(state["target"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.updates = state["updates"]
        self.replay.clear()
        self.replay.sampler.load_state_dict(state["sampler"])

    def _passed(self, every: int) -> int:
        """How many multiples of `every` the last step of all environments passed."""
        return self.steps // every - (self.steps - self.num_envs) // every
