"""Deep Q-networks (Mnih et al., 2015); what came after them is a setting each."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import repeat
from typing import Any, Self, Unpack

import gymnasium as gym
import torch
from torch import Tensor

from nets.gradients.flat_adam import FlatAdam
from nets.gradients.modes import freeze
from nets.gradients.optim import clip_grads, set_rate
from nets.process.distributed import Team
from nets.process.seeding import hash31, seeded

from ..agent import Agent
from ..environments.parts import row_space
from ..environments.source import World
from ..environments.spaces import as_rows
from ..equations.exploration import epsilon_greedy
from ..equations.masks import masked
from ..equations.schedules import current
from ..loop.actor import ActorOptions
from ..loop.divergence import require_finite_outputs
from ..loop.experience import Array, Metrics, Transition
from ..networks.encoders import place
from ..networks.pretraining import load_encoder
from .build import build_network, build_recorder, build_replay, build_return_model
from .config import DQNConfig
from .networks import FastQNetwork
from .replay import ReplayBuffer
from .returns import output_index
from .rows import Minibatches


class DQN(Agent[DQNConfig]):
    """Q-learning with a neural network, a replay buffer and a target network (curriculum A-FA-02).

    Minimises L = Σ w · ℓ(q(sₜ₋₁, aₜ₋₁) − yₜ) over minibatches of B rows from replay, where
    yₜ = rₜ + γ · (1 − terminatedₜ) · maxₐ q_target(sₜ, a), ℓ is the Huber loss or the square, and w
    is 1 / B or what prioritised replay says.
    """

    name = "dqn"
    config_type = DQNConfig
    inherited = ("online", "target")
    learns_together = True
    replay: ReplayBuffer
    _blank: int = 0  # the step at which its replay was empty

    @torch.inference_mode(False)
    def __init__(
        self, env: World, config: DQNConfig | None = None, **options: Unpack[ActorOptions]
    ) -> None:
        super().__init__(env, config, **options)
        if not isinstance(self.action_space, gym.spaces.Discrete):
            message = f"{self.source.name} has actions {self.action_space}: DQN needs Discrete"
            raise TypeError(message)
        c, actions = self.config, int(self.action_space.n)
        self.returns = build_return_model(c, self.device)
        with seeded(hash31(self.seed, "network")):
            online = build_network(c, self.observation_space, actions, self.returns.size)
        if c.freeze_encoder:
            freeze(online.body)
        online = place(online, self.observation_space, self.device, c.precision, c.channels)
        target = deepcopy(online)
        self.online = FastQNetwork(online, self.returns)
        self.target = FastQNetwork(target, self.returns)
        self.optimizer = FlatAdam(self.online.weights, lr=self._rate)
        self.replay = build_replay(c, self._spaces, self.recorder)
        self.updates = 0
        self._first_action = int(self.action_space.start)

    @property
    def epsilon(self) -> float:
        """The share of random actions now."""
        return self.config.epsilon(self.steps)

    @property
    def _rate(self) -> float:
        return current(self.config, "learning_rate", self.steps, self.horizon)

    @property
    def _spaces(self) -> tuple[gym.Space, gym.Space]:
        return row_space(self.observation_space), self.action_space

    def join(self, team: Team) -> None:
        """Learn with others: environments, and rows of gradients, are dealt out to all."""
        super().join(team)
        self.online.team = team

    def begin(self) -> None:
        """Load a pretrained encoder, if there is to be one."""
        super().begin()
        if self.config.pretrained:
            bodies = [network.module.body for network in (self.online, self.target)]
            load_encoder(bodies, self.config.pretrained)

    def reseed(self, seed: int) -> None:
        """Begin the agent's generator anew, with no row open and nothing in memory."""
        super().reseed(seed)
        self.recorder = build_recorder(self.config, self._spaces, self.num_envs)
        self.state: Tensor | None = None

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any], *where: Any, **options: Any) -> Self:
        """Construct the agent that wrote `manifest`; its replay has to be filled again."""
        agent = super().from_manifest(manifest, *where, **options)
        agent._blank = agent.steps
        return agent

    def idle(self, steps: int) -> str:
        """Name `train_every` or `learning_starts` where the last burst of updates is before it."""
        c, n = self.config, self.num_envs
        burst = -(-steps // n) * n // c.train_every * c.train_every
        if not burst:
            return f"train_every is {c.train_every}"
        return f"learning_starts is {c.learning_starts}" * (-(-burst // n) * n < c.learning_starts)

    def q_values(self, observation: Array, *, noise: bool = True) -> Array:
        """Return action values `[N, A]` of observations `[N, *]`, each the first of an episode.

        Args:
            observation: N members of the space.
            noise: whether noisy layers draw; else they take their means.
        """
        rows, _ = as_rows(self.observation_space, observation)
        return self._values(rows, None, None, noise=noise)[0]

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
        return self.online.values(observation, state, start, noise=noise)

    def act(
        self, observation: Array, episode_start: Array, mask: Array | None = None
    ) -> tuple[Array, Mapping[str, Array]]:
        """Choose ε-greedy actions; a memory's state before them is an extra."""
        before = self.state
        values, self.state = self._values(observation, before, episode_start)
        action = epsilon_greedy(values, self.epsilon, self.rng, mask)
        extras = {} if before is None else {"state": before.cpu().numpy()}
        return action + self._first_action, extras

    def choose(
        self,
        observation: Array,
        state: Any,
        episode_start: Array | None,
        deterministic: bool,
        mask: Array | None = None,
    ) -> tuple[Array, Any]:
        """Choose greedy actions, or ε-greedy ones with the final ε."""
        values, state = self._values(observation, state, episode_start, noise=not deterministic)
        require_finite_outputs(self, values)
        if deterministic:
            action = masked(values, mask).argmax(axis=1)
        else:
            final = self.config.epsilon(self.config.exploration_steps)
            action = epsilon_greedy(values, final, self.rng, mask)
        return action + self._first_action, state

    def observe(self, transition: Transition) -> Metrics | None:
        """Remember a transition; every `train_every` steps, learn from replay."""
        rows = self.recorder.push(transition)
        if rows is not None:
            self.replay.append(rows)
        c = self.config
        if c.target_rate == 1.0 and self._passed(c.target_every):
            self.target.follow(self.online)
        updates = self._passed(c.train_every) * c.gradient_steps
        if not updates or self.steps < self._blank + c.learning_starts or not self.replay.rows:
            return None
        if c.target_rate == 1.0:
            return self._learn(updates)
        for _ in range(updates):
            metrics = self._learn(1)
            self.target.follow(self.online, c.target_rate)
        return metrics

    def _learn(self, updates: int) -> Metrics:
        """Take gradient steps on rows of replay, whose sampler sees the errors afterwards."""
        c = self.config
        set_rate(self.optimizer, self._rate)
        correction = c.correction(self.steps)
        batch, places = self.replay.sample(self.rng, updates, c.batch_size, correction)
        batch = batch.to(self.device)
        metrics, error = self.update(batch)
        self.replay.sampler.renew(places, batch.priorities(error))
        return metrics

    @torch.no_grad()
    def update(self, batch: Minibatches) -> tuple[Metrics, Tensor]:
        """Take one gradient step per minibatch, the target network fixed.

        The loss enters through its slope dL/d(outputs), which is 0 for the actions not taken.

        Returns:
            Metrics of the last minibatch, its loss L and means; the error of every row, `[K, B]`.
            The value is that of the best action, and where actions are masked of the one taken.
        """
        index, errors = output_index(batch.action - self._first_action, self.returns.size), []
        weights, targets = batch.weight.unsqueeze(-1), self._targets(batch)
        rows = zip(batch.observation, index, targets, weights, strict=True)
        for observation, taken, target, weight in rows:
            outputs = self.online.forward(observation)  # [B, A · size]
            prediction = outputs.gather(-1, taken)  # [B, size]
            loss, error = self.returns.loss(prediction, target)
            slope = torch.zeros_like(outputs).scatter_(-1, taken, weight * loss.slope)
            self.online.backward(slope)
            clip_grads([self.online.weights], global_norm=self.config.max_grad_norm)
            self.optimizer.step()
            errors.append(error)
        self.updates += len(errors)
        shown, weight = outputs if batch.next_mask is None else prediction, batch.weight[-1]
        value = self.returns.values(shown).amax(dim=-1)  # [B]
        metrics = {
            "loss": (weight * loss.value).sum(),
            self.returns.error_name: (weight * error.abs()).sum() / weight.sum(),
            "value": (weight * value).sum() / weight.sum(),
            "epsilon": self.epsilon,
        }
        return metrics, torch.stack(errors).abs()

    def _targets(self, batch: Minibatches) -> Iterator[Tensor]:
        """Yield the target of one minibatch after the other, each when it is asked for.

        With double learning the online network of that moment chooses the next action.
        """
        reward, discount, after = batch.reward, batch.discount, batch.next_observation
        mask = batch.next_mask
        outputs = self.target.module.minibatches(after)  # [K, B, A · size]
        if not self.config.double:
            yield from self.returns.q_learning_target(reward, discount, outputs, mask)
            return
        masks = repeat(None) if mask is None else mask
        for r_t, discount_t, outputs_t, s_t, mask_t in zip(
            reward, discount, outputs, after, masks, strict=False
        ):
            selector_t = self.online.module(s_t)  # [B, A · size]
            yield self.returns.double_q_learning_target(
                r_t, discount_t, outputs_t, selector_t, mask_t
            )

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimiser and counters."""
        return {
            "online": self.online.module.state_dict(),
            "target": self.target.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "updates": self.updates,
            "sampler": self.replay.sampler.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, with an empty replay."""
        self.online.module.load_state_dict(state["online"])
        self.target.module.load_state_dict(state["target"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.updates = state["updates"]
        self.replay.clear()
        self.replay.sampler.load_state_dict(state["sampler"])

    def _passed(self, every: int) -> int:
        """How many multiples of `every` the last step of all environments passed."""
        return self.steps // every - (self.steps - self.num_envs) // every
