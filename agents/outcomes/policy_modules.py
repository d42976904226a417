"""Greedy policies as torch modules, in the observations and actions of the environment itself."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn

from nets.layers.recurrent import GRU, LSTM

from ..dqn.networks import QNetwork, RecurrentQNetwork
from ..dqn.returns import ReturnModel
from ..equations.masks import masked
from ..policy_gradient.actor_critic import ActorCritic
from ..policy_gradient.model import ActionModel
from ..policy_gradient.normalization import LIMIT, ObservationNorm


class Policy(nn.Module):
    """Observations `[N, *observation]` to greedy actions `[N, *action]`.

    Args:
        norm: of observations.
        step: observations, a memory's state and bool `[N]` where an episode starts, to outputs
            `[N, size]` and the next state.
        choose: outputs, and which actions are allowed, to actions.
    """

    def __init__(self, norm: nn.Module, step: nn.Module, choose: nn.Module) -> None:
        super().__init__()
        self.norm, self.step, self.choose = norm, step, choose

    def forward(self, observation: Tensor, action_mask: Tensor | None = None) -> Tensor:
        """Normalise, evaluate, choose among what `action_mask`, bool `[N, A]`, allows."""
        outputs, _ = self.step(self.norm(observation), None, None)
        return self.choose(outputs, action_mask)


class RecurrentPolicy(Policy):
    """One step of a policy with a memory."""

    def forward(  # type: ignore[override]
        self,
        observation: Tensor,
        state: Tensor,
        episode_start: Tensor,
        action_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return actions `[N, *action]` and the next state.

        Args:
            observation: `[N, *observation]`.
            state: of the memory, `[S, layers, N, H]`; whatever it is, 0 takes its place where an
                episode starts.
            episode_start: bool `[N]`.
            action_mask: bool `[N, A]`, which actions are allowed; None: all.
        """
        outputs, after = self.step(self.norm(observation), state, episode_start)
        return self.choose(outputs, action_mask), after


def initial_state(memory: LSTM | GRU, count: int) -> Tensor:
    """Return the state of `count` memories at the beginning of episodes, all 0."""
    parts = 2 if isinstance(memory, LSTM) else 1
    return torch.zeros(parts, memory.num_layers, count, memory.hidden_size)


class ActorStep(nn.Module):
    """One step of an actor-critic, without its value."""

    def __init__(self, network: ActorCritic) -> None:
        super().__init__()
        self.network = network
        network.critic = nn.Identity()  # type: ignore[assignment] # whose output nobody reads

    def forward(
        self, observation: Tensor, state: Tensor | None, starts: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Evaluate a sequence of length one."""
        sequence = None if starts is None else starts[None]  # [1, N]
        outputs, _, after = self.network(observation[None], state, sequence)
        return outputs[0], after


class QStep(nn.Module):
    """One step of a Q-network."""

    def __init__(self, network: QNetwork | RecurrentQNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, observation: Tensor, state: Tensor | None, starts: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Evaluate it."""
        return self.network.step(observation, state, starts)


class Stateless(nn.Module):
    """One step of a network without a memory."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, observation: Tensor, state: Tensor | None, starts: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Evaluate it."""
        return self.network(observation), None


class MostValuable(nn.Module):
    """Outputs of a Q-network `[N, size]` to the actions of the largest expected return, `[N]`.

    Args:
        returns: what the outputs say.
        start: the space's first action.
    """

    def __init__(self, returns: ReturnModel, start: int) -> None:
        super().__init__()
        self.returns, self.start = returns, start

    def forward(self, outputs: Tensor, action_mask: Tensor | None) -> Tensor:
        """Choose, and count from the space's first action."""
        return masked(self.returns.values(outputs), action_mask).argmax(dim=-1) + self.start


class Lookup(nn.Module):
    """A table: states `[N]`, or their coordinates `[N, D]`, to what it holds of each, `[N, *]`.

    Args:
        table: of every state, `[S, *]`.
        strides: of the coordinates in the table.
        offset: what to subtract.
    """

    table: Tensor
    strides: Tensor

    def __init__(self, table: Tensor, strides: Sequence[int], offset: int) -> None:
        super().__init__()
        self.register_buffer("table", table)
        self.register_buffer("strides", torch.tensor(strides))
        self.offset = offset

    def forward(self, observation: Tensor) -> Tensor:
        """Read the table."""
        coordinates = observation.reshape(observation.shape[0], -1)  # [N, D]
        return self.table[(coordinates * self.strides).sum(-1) - self.offset]


class MaskedLookup(nn.Module):
    """States and masks `[N, A]` to the actions of the largest value among those allowed, `[N]`.

    Args:
        values: a table of action values.
        start: the space's first action.
    """

    def __init__(self, values: Lookup, start: int) -> None:
        super().__init__()
        self.values, self.start = values, start

    def forward(self, observation: Tensor, action_mask: Tensor) -> Tensor:
        """Read the table, and choose."""
        return masked(self.values(observation), action_mask).argmax(dim=-1) + self.start


class StableBaselines(nn.Module):
    """The policy of a stable-baselines3 model, or the part of it that acts."""

    low: Tensor
    high: Tensor

    def __init__(self, policy: Any, space: gym.Space, actions: gym.Space) -> None:
        super().__init__()
        self.policy, self.actions = policy, actions
        self.transposed = policy.observation_space.shape != space.shape
        if isinstance(actions, gym.spaces.Box):
            self.register_buffer("low", torch.from_numpy(actions.low))
            self.register_buffer("high", torch.from_numpy(actions.high))

    def forward(self, observation: Tensor) -> Tensor:
        """Choose as the model's `predict` does."""
        seen = observation.permute(0, 3, 1, 2) if self.transposed else observation
        choice = self.policy._predict(seen, deterministic=True)
        choice = choice.reshape(-1, *(self.actions.shape or ()))
        if not isinstance(self.actions, gym.spaces.Box):
            return choice
        if self.policy.squash_output:
            return self.low + 0.5 * (choice + 1.0) * (self.high - self.low)
        return choice.clamp(self.low, self.high)


class Normalize(nn.Module):
    """`ObservationNorm` as a module, its statistics as they are now."""

    def __init__(self, norm: ObservationNorm) -> None:
        super().__init__()
        self.statistics = deepcopy(norm.statistics).eval()

    def forward(self, observation: Tensor) -> Tensor:
        """Return (x − μ) / σ, cut to 10 deviations, as float32."""
        return self.statistics(observation.double()).clamp(-LIMIT, LIMIT).float()


class MostProbable(nn.Module):
    """Outputs of a policy network `[N, size]` to its most probable actions `[N, *action]`."""

    def __init__(self, actions: ActionModel) -> None:
        super().__init__()
        self.actions = actions

    def forward(self, outputs: Tensor, action_mask: Tensor | None) -> Tensor:
        """Choose, and bring into the space."""
        return self.actions.to_space(self.actions.mode(masked(outputs, action_mask)))
