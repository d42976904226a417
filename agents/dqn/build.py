"""The parts of DQN that its settings choose from."""

from typing import Any

import gymnasium as gym
import torch
from torch import nn

from nets.layers.heads import DuelingHead
from nets.layers.noisy import noisy_
from nets.process.memory import within_memory

from ..networks.encoders import build_encoder
from ..networks.memory import build_memory, parse_encoder
from .config import DQNConfig
from .frames import Frames, has_frames
from .networks import QNetwork, RecurrentQNetwork
from .nstep import NStep
from .prioritized import Prioritized
from .replay import ReplayBuffer, Sampler, Uniform
from .returns import CategoricalReturn, ExpectedReturn, QuantileReturn, ReturnModel
from .rows import MaskedRows, Rows
from .sequences import Sequencer


def build_return_model(config: DQNConfig, device: torch.device) -> ReturnModel:
    """Return the meaning of the network's outputs."""
    if config.head == "categorical":
        return CategoricalReturn(config.atoms, *config.value_range, device)
    if config.head == "quantile":
        return QuantileReturn(config.atoms)
    return ExpectedReturn(config.loss)


def build_network(
    config: DQNConfig, space: gym.Space, actions: int, outputs_per_action: int
) -> QNetwork | RecurrentQNetwork:
    """Return a network for observations of `space`, with new weights."""
    c, size = config, outputs_per_action
    encoder, memory = parse_encoder(c.encoder, c.memory)
    body, features = build_encoder(
        space, encoder=encoder, hidden=c.hidden, activation=c.activation, channels=c.channels
    )
    remembering = None
    if memory is not None:
        remembering, features = build_memory(memory, features, c.memory_size), c.memory_size
    head: nn.Module = nn.Linear(features, actions * size)
    if c.dueling:
        head = DuelingHead(features, actions, atoms=size)
    network: QNetwork | RecurrentQNetwork = QNetwork(body, head)
    if remembering is not None:
        network = RecurrentQNetwork(body, remembering, head, c.burn_in)
    return noisy_(network, std=c.noise_std) if c.noisy else network


def build_recorder(
    config: DQNConfig, spaces: tuple[gym.Space, gym.Space], num_envs: int
) -> NStep | Sequencer:
    """Return what makes rows of replay from transitions: sequences for a memory."""
    c, (_, memory) = config, parse_encoder(config.encoder, config.memory)
    if memory is None:
        return NStep(c.n_step, c.discount, num_envs)
    state_shape = (2 if memory == "lstm" else 1, 1, c.memory_size)
    return Sequencer(
        c.sequence_length,
        c.burn_in,
        c.n_step,
        c.discount,
        spaces,
        state_shape,
        num_envs,
        masks=c.mask_actions,
    )


def build_replay(
    config: DQNConfig, spaces: tuple[gym.Space, gym.Space], recorder: NStep | Sequencer
) -> ReplayBuffer:
    """Return an empty replay for what `recorder` makes, of `buffer_size` steps.

    Raises:
        ValueError: there is no memory for so many.
    """
    size, kind = config.buffer_size, MaskedRows if config.mask_actions else Rows
    capacity = size
    if has_frames(spaces[0]):  # memory is taken as they come, at the least one a step
        within_memory(f"buffer_size is {size}", size, Frames(spaces[0].shape or ()).size)
    try:
        if isinstance(recorder, Sequencer):
            capacity = max(size // config.sequence_length, 1)
            memory: Any = recorder.zeros(capacity)
        else:
            memory = kind.zeros(capacity, *spaces)
    except MemoryError as error:
        message = f"buffer_size is {size}: expected as many steps of {spaces[0]} as there is memory"
        raise ValueError(f"{message} for ({error})") from error
    return ReplayBuffer(memory, build_sampler(config, capacity))


def build_sampler(config: DQNConfig, capacity: int) -> Sampler:
    """Return what draws from a replay of `capacity` rows."""
    if config.replay == "prioritized":
        return Prioritized(capacity, config.priority_exponent)
    return Uniform()
