"""Actor-critic networks: their shape by space and setting, their gradients, their memory."""

from copy import deepcopy

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import nn

from agents.networks.memory import build_memory, parse_encoder
from agents.policy_gradient.actions import action_model
from agents.policy_gradient.actor_critic import ActorCritic, FastActorCritic
from nets.layers.recurrent import GRU, LSTM
from nets.networks.encoders import ImpalaCNN, NatureCNN, SmallCNN

VECTOR = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
SPACES = {
    "vector": VECTOR,
    "matrix": gym.spaces.Box(-1.0, 1.0, (2, 3), np.float64),
    "state": gym.spaces.Discrete(6, start=2),
    "board": gym.spaces.Box(0, 255, (10, 10, 2), np.uint8),
}
ACTIONS = gym.spaces.Discrete(3)


def build(space=VECTOR, seed=0, actions=ACTIONS, **settings):
    torch.manual_seed(seed)
    return ActorCritic(space, action_model(actions), **settings)


def observations(space, steps, copies):
    space.seed(0)
    sample = np.stack([space.sample() for _ in range(steps * copies)])
    return torch.from_numpy(sample.reshape(steps, copies, *space.shape))


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
@pytest.mark.parametrize("encoder", ["auto", "lstm", "gru"])
def test_every_space_gives_outputs_and_values_and_a_policy_near_uniform(space, encoder):
    network = build(space, encoder=encoder)
    outputs, value, state = network(observations(space, 5, 2))
    assert outputs.shape == (5, 2, 3)
    assert value.shape == (5, 2)
    assert (state is None) == (encoder == "auto")
    assert network.actions.distribution(outputs).probs.sub(1 / 3).abs().max() < 0.05
    assert value.std() > 0


@pytest.mark.parametrize(
    ("name", "picture", "memory"),
    [
        ("auto", NatureCNN, None),
        ("nature", NatureCNN, None),
        ("impala", ImpalaCNN, None),
        ("small-cnn", SmallCNN, None),
        ("mlp", None, None),
        ("lstm", NatureCNN, LSTM),
        ("gru", NatureCNN, GRU),
        ("impala+lstm", ImpalaCNN, LSTM),
        ("mlp+gru", None, GRU),
    ],
)
def test_A_PG_05_the_encoder_setting_says_what_sees_and_what_remembers(name, picture, memory):
    screen = gym.spaces.Box(0, 255, (40, 40, 1), np.uint8)
    network = build(screen, encoder=name, memory_size=7)
    kinds = {type(module) for module in network.modules()}
    assert kinds & {NatureCNN, ImpalaCNN, SmallCNN} == ({picture} if picture else set())
    assert kinds & {LSTM, GRU} == ({memory} if memory else set())
    hidden = sum(isinstance(module, nn.Tanh) for module in network.actor)
    assert hidden == (0 if picture else 2)


def test_unknown_encoders_are_named_with_the_nearest():
    with pytest.raises(ValueError, match="unknown encoder 'lsmt'; did you mean 'lstm'"):
        parse_encoder("lsmt")


def test_orthogonal_layers():
    network = build(activation="relu")
    first = network.actor[0].weight.detach()  # [64, 4]
    torch.testing.assert_close(first.T @ first, 2 * torch.eye(4), rtol=1e-4, atol=1e-5)
    assert network.actor[-1].weight.norm() < 0.02
    assert network.critic[-1].weight.norm().item() == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("encoder", ["auto", "lstm", "gru"])
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_gradients_are_autograds(space, encoder, activation):
    network = build(space, encoder=encoder, activation=activation, hidden=(8, 8))
    reference = deepcopy(network)
    x = observations(space, 4, 3)
    starts = torch.tensor([[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 1, 0]]).bool()
    pull, push = torch.randn(4, 3, 3), torch.randn(4, 3)
    expected_outputs, expected_value, _ = reference(x, None, starts)
    ((expected_outputs * pull).sum() + (expected_value * push).sum()).backward()
    gradient = FastActorCritic(network)
    for _ in range(2):  # nothing is left over from an earlier call
        gradient.weights.grad.zero_()
        outputs, value = gradient.forward(x, None, starts)
        gradient.backward(pull, push)
        torch.testing.assert_close((outputs, value), (expected_outputs, expected_value))
        for mine, theirs in zip(network.parameters(), reference.parameters(), strict=True):
            torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-4, atol=1e-5)
    assert gradient.weights.numel() == sum(p.numel() for p in reference.parameters())


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_a_memory_begins_with_a_gate_more_open_to_its_past(name):
    """Its biases alone keep the share σ(1) of a state, where a gate at 0 would keep half."""
    memory, held = build_memory(name, 3, 5), torch.linspace(-1.0, 1.0, 5).expand(1, 2, 5)
    for parameter in memory.parameters():
        if parameter.dim() > 1:
            nn.init.zeros_(parameter)
    state = (torch.zeros_like(held), held) if name == "lstm" else held
    _, after = memory(torch.ones(1, 2, 3), state)
    kept = held * torch.tensor(1.0).sigmoid()
    if name == "lstm":  # of its cell it shows the half
        torch.testing.assert_close(after, (kept.tanh() / 2, kept))
    else:
        torch.testing.assert_close(after, kept)


@pytest.mark.parametrize("encoder", ["lstm", "gru"])
def test_N_RNN_10_a_sequence_is_the_loop_over_its_steps(encoder):
    network = build(encoder=encoder)
    x = observations(VECTOR, 9, 3)
    starts = torch.rand(9, 3, generator=torch.Generator().manual_seed(0)) < 0.3
    state = torch.randn(2 if encoder == "lstm" else 1, 1, 3, 64)
    outputs, value, after = network(x, state, starts)
    for t in range(9):
        step, v, state = network(x[t : t + 1], state, starts[t : t + 1])
        torch.testing.assert_close(step[0], outputs[t])
        torch.testing.assert_close(v[0], value[t])
    torch.testing.assert_close(state, after)
