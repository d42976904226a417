"""Q-networks: what `DQNConfig` says, built from small parts."""

import gymnasium as gym
import torch
from torch import Tensor, nn

from nets.heads import DuelingHead
from nets.noisy import noisy_

from .buffers import Sampler, Uniform
from .dqn_config import DQNConfig
from .networks import build_encoder
from .prioritized import Prioritized
from .return_models import CategoricalReturn, ExpectedReturn, QuantileReturn, ReturnModel

TARGET_ROWS = 512  # a piece that stays in the cache


class QNetwork(nn.Sequential):
    """Encoder and head: observations `[B, *]` to outputs `[B, A · size]`."""

    def minibatches(self, observation: Tensor) -> Tensor:
        """Evaluate K minibatches at once, `[K, B, *]` to `[K, B, A · size]`."""
        rows = observation.flatten(0, 1).split(TARGET_ROWS)
        return torch.cat([self(piece) for piece in rows]).unflatten(0, observation.shape[:2])


def build_network(
    config: DQNConfig, space: gym.Space, actions: int, outputs_per_action: int
) -> QNetwork:
    """Return a network for observations of `space`, with new weights."""
    c, size = config, outputs_per_action
    body, features = build_encoder(
        space, encoder=c.encoder, hidden=c.hidden, activation=c.activation
    )
    head = (
        DuelingHead(features, actions, atoms=size)
        if c.dueling
        else nn.Linear(features, actions * size)
    )
    network = QNetwork(body, head)
    return noisy_(network, std=c.noise_std) if c.noisy else network


def build_return_model(config: DQNConfig, device: torch.device) -> ReturnModel:
    """Return the meaning of the network's outputs."""
    if config.head == "categorical":
        return CategoricalReturn(config.atoms, *config.value_range, device)
    if config.head == "quantile":
        return QuantileReturn(config.atoms)
    return ExpectedReturn(config.loss)


def build_sampler(config: DQNConfig, capacity: int) -> Sampler:
    """Return what draws from a replay of `capacity` rows."""
    if config.replay == "prioritized":
        return Prioritized(capacity, config.priority_exponent)
    return Uniform()
