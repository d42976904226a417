"""Actor-critic networks: a policy and a value over one encoder, with or without a memory."""

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn

from nets.gradients.backprop import Backprop, backprop
from nets.gradients.flat import flatten_parameters
from nets.layers.mlp import MLP
from nets.layers.recurrent import GRU, LSTM

from ..environments.parts import COMPOSITES
from ..loop.experience import Array
from ..networks.encoders import build_encoder
from ..networks.fast import FastNetwork, numpy_forward
from ..networks.memory import build_memory, parse_encoder, remember
from ..networks.own import own_encoders
from ..networks.pictures import Channels
from .model import ActionModel

IN_CACHE = 1024  # rows of plain networks that are evaluated at a time


class ActorCritic(nn.Module):
    """π(· | s) and v(s): body, then memory if any, then one MLP for each.

    The body is a CNN for pictures, whose features go to the last layers directly, somebody's own
    encoder, and nothing that learns otherwise. An encoder begins as it was built, the MLPs
    orthogonal, the policy's last layer near 0: nearly uniform.

    Args:
        space: of observations.
        actions: what the policy's outputs mean.
        encoder: see `parse_encoder`.
        memory: see `parse_encoder`.
        channels: where those of pictures are; see `picture_layout`.
        hidden: hidden layers of the two MLPs, but after a CNN of ours.
        activation: of the MLPs.
        memory_size: size of the state of LSTM or GRU.
    """

    def __init__(
        self,
        space: gym.Space,
        actions: ActionModel,
        *,
        encoder: str | Callable[..., Any] = "auto",
        memory: str = "none",
        channels: Channels = "auto",
        hidden: Sequence[int] = (64, 64),
        activation: str = "tanh",
        memory_size: int = 64,
    ) -> None:
        super().__init__()
        encoder, remembers = parse_encoder(encoder, memory)
        self.body, features = build_encoder(space, encoder=encoder, hidden=(), channels=channels)
        ours = not isinstance(space, COMPOSITES) and not own_encoders(self.body)
        if ours and any(isinstance(module, nn.Conv2d) for module in self.body.modules()):
            hidden = ()
        self.memory: LSTM | GRU | None = None
        if remembers is not None:
            self.memory = build_memory(remembers, features, memory_size)
            features = memory_size

        def mlp(outputs: int, gain: float) -> MLP:
            kind: dict[str, Any] = {"activation": activation, "init": "orthogonal"}
            return MLP(features, hidden, outputs, out_gain=gain, **kind)

        self.actor, self.critic = mlp(actions.size, 0.01), mlp(1, 1.0)
        self.actions = actions

    def forward(
        self, observation: Tensor, state: Tensor | None = None, starts: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Run over sequences, each from the state before its first step.

        Args:
            observation: `[T, B, *observation]`.
            state: of the memory, `[S, layers, B, H]`; None is 0.
            starts: bool `[T, B]`, where an episode begins.

        Returns:
            Outputs of the policy `[T, B, size]`, values `[T, B]`, the state after the last step.
        """
        features = self.body(observation.flatten(0, 1))  # [T * B, D]
        features = features.unflatten(0, observation.shape[:2])  # [T, B, D]
        if self.memory is not None:
            features, state = remember(self.memory, features, state, starts)
        return self.actor(features), self.critic(features).squeeze(-1), state


class FastActorCritic(FastNetwork[ActorCritic]):
    """An actor-critic as it learns from the slopes of its outputs and acts on arrays."""

    def __init__(self, module: ActorCritic) -> None:
        super().__init__(module, flatten_parameters(module))
        self._learners: list[Backprop] = []
        if module.memory is None and not list(module.body.children()):
            parts = module.actor, module.critic
            self._learners = [backprop(part, self.weights) for part in parts]
        self._outputs: tuple[Tensor, Tensor] | None = None
        self._part = slice(None)  # of a rollout's columns, this process's
        self._numpy_policy = self._numpy_value = None
        if module.memory is None:
            self._numpy_policy = numpy_forward(nn.Sequential(module.body, module.actor))
            self._numpy_value = numpy_forward(nn.Sequential(module.body, module.critic))

    def forward(
        self, observation: Tensor, state: Tensor | None = None, starts: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the policy's outputs `[T, B, size]` and values `[T, B]`, without a graph."""
        if self.team.size == 1:
            return self._forward(observation, state, starts)
        columns = observation.shape[1]
        self._part = part = self.team.part(columns)
        state = None if state is None else state[:, :, part]
        starts = None if starts is None else starts[:, part]
        outputs, value = self._forward(observation[:, part], state, starts)
        said = torch.cat([outputs, value.unsqueeze(-1)], dim=-1)  # [T, B / P, size + 1]
        outputs, value = (
            self.team.joined(said.transpose(0, 1), columns)
            .transpose(0, 1)
            .split([outputs.shape[-1], 1], dim=-1)
        )
        return outputs, value.squeeze(-1)

    def _forward(
        self, observation: Tensor, state: Tensor | None, starts: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        if self._learners:
            rows, shape = observation.flatten(0, 1), observation.shape[:2]
            outputs, value = (each.forward(rows).view(*shape, -1) for each in self._learners)
            return outputs, value.squeeze(-1)
        with torch.enable_grad():
            outputs, value, _ = self.module(observation, state, starts)
        self._outputs = outputs, value
        return outputs.detach(), value.detach()

    @torch.no_grad()
    def evaluate(
        self, observation: Tensor, state: Tensor | None = None, starts: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return what `forward` does, and leave nothing for `backward`."""
        if not self._learners:
            outputs, value, _ = self.module(observation, state, starts)
            return outputs, value
        blocks = observation.flatten(0, 1).unsqueeze(0).split(IN_CACHE, dim=1)
        parts = [self.module(block)[:2] for block in blocks]
        outputs, value = (torch.cat(part, dim=1) for part in zip(*parts, strict=True))
        shape = observation.shape[:2]
        return outputs.view(*shape, -1), value.view(shape)

    def backward(self, outputs: Tensor, value: Tensor) -> None:
        """Add to the gradient of `weights`, given dL/d(outputs) and dL/d(values) of `forward`."""
        if self.team.size > 1:
            outputs, value = outputs[:, self._part], value[:, self._part]
        self._backward(outputs, value)
        self.team.total_(self.weights.grad)  # type: ignore[arg-type]

    def _backward(self, outputs: Tensor, value: Tensor) -> None:
        if self._learners:
            actor, critic = self._learners
            actor.backward(outputs.flatten(0, 1))
            critic.backward(value.reshape(-1, 1))
        elif self._outputs is not None:
            torch.autograd.backward(self._outputs, (outputs, value))
            self._outputs = None

    def policy(
        self, observation: Array, state: Tensor | None, start: Array | None
    ) -> tuple[Array, Tensor | None]:
        """Return the policy's outputs `[N, size]` for observations `[N, *]`, and the next state.

        Args:
            observation: `[N, *]`.
            state: of the memory before them, `[S, layers, N, H]`; None is 0.
            start: bool `[N]`, where an episode begins.
        """
        if self._numpy_policy is not None:
            return self._numpy_policy(observation), None
        outputs, _, after = self._step(observation, state, start)
        return outputs.cpu().numpy(), after

    def value(self, observation: Array, state: Tensor | None) -> Array:
        """Return v(s) `[N]` of observations `[N, *]`, `state` being the memory's before them."""
        if self._numpy_value is not None:
            return self._numpy_value(observation)[:, 0]
        return self._step(observation, state, None)[1].cpu().numpy()

    @torch.no_grad()
    def _step(
        self, observation: Array, state: Tensor | None, start: Array | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Run over sequences of one step: outputs `[N, size]`, values `[N]`, and the state."""
        starts = None if start is None else self.tensor(start)[None]  # [1, N]
        outputs, value, state = self.module(self.tensor(observation)[None], state, starts)
        return outputs[0], value[0], state
