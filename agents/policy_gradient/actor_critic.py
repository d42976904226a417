"""Actor-critic networks: a policy and a value over one encoder, with or without a memory."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn

from nets.gradients.backprop import Backprop, backprop
from nets.gradients.flat import flatten_parameters
from nets.layers.mlp import MLP
from nets.layers.recurrent import GRU, LSTM

from ..networks.encoders import build_encoder
from ..networks.memory import build_memory, parse_encoder, remember
from .actions import ActionModel


class ActorCritic(nn.Module):
    """π(· | s) and v(s): body, then memory if any, then one MLP for each.

    The body is a CNN for pictures, whose features go to the last layers directly, and nothing that
    learns otherwise. A CNN begins as it was built, the MLPs orthogonal, the policy's last layer
    near 0: nearly uniform.

    Args:
        space: of observations.
        actions: what the policy's outputs mean.
        encoder: see `parse_encoder`.
        hidden: hidden layers of the two MLPs, where observations are no pictures.
        activation: of the MLPs.
        memory_size: size of the state of LSTM or GRU.
    """

    def __init__(
        self,
        space: gym.Space,
        actions: ActionModel,
        *,
        encoder: str = "auto",
        hidden: Sequence[int] = (64, 64),
        activation: str = "tanh",
        memory_size: int = 64,
    ) -> None:
        super().__init__()
        picture, memory = parse_encoder(encoder)
        self.body, features = build_encoder(space, encoder=picture, hidden=())
        if any(isinstance(module, nn.Conv2d) for module in self.body.modules()):
            hidden = ()
        self.memory: LSTM | GRU | None = None
        if memory is not None:
            self.memory = build_memory(memory, features, memory_size)
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


class ActorCriticGradient:
    """Back-propagation through an actor-critic, from the slopes of its outputs to its weights.

    Two plain MLPs are differentiated by the equations, anything else by autograd.
    """

    def __init__(self, network: ActorCritic) -> None:
        self.network = network
        self._nets: list[Backprop] = []
        if network.memory is None and not list(network.body.children()):
            self._nets = [backprop(network.actor), backprop(network.critic)]
        self.weights = flatten_parameters(network)  # [P]
        self._outputs: tuple[Tensor, Tensor] | None = None

    def forward(
        self, observation: Tensor, state: Tensor | None = None, starts: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the policy's outputs `[T, B, size]` and values `[T, B]`, without a graph."""
        if self._nets:
            rows, shape = observation.flatten(0, 1), observation.shape[:2]
            outputs, value = (net.forward(rows).view(*shape, -1) for net in self._nets)
            return outputs, value.squeeze(-1)
        with torch.enable_grad():
            outputs, value, _ = self.network(observation, state, starts)
        self._outputs = outputs, value
        return outputs.detach(), value.detach()

    def backward(self, outputs: Tensor, value: Tensor) -> None:
        """Add to the gradient of `weights`, given dL/d(outputs) and dL/d(values) of `forward`."""
        if self._nets:
            actor, critic = self._nets
            actor.backward(outputs.flatten(0, 1))
            critic.backward(value.view(-1, 1))
        elif self._outputs is not None:
            torch.autograd.backward(self._outputs, (outputs, value))
            self._outputs = None
