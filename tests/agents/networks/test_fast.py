"""Networks in several forms: what is learned in one of them, the others know."""

from copy import deepcopy

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import nn

from agents.dqn.networks import FastQNetwork, QNetwork
from agents.dqn.returns import ExpectedReturn
from agents.policy_gradient.actions import action_model
from agents.policy_gradient.actor_critic import ActorCritic, FastActorCritic
from nets.layers.mlp import MLP
from nets.layers.noisy import noisy_

SPACE, ACTIONS = gym.spaces.Box(-1, 1, (4,), np.float32), gym.spaces.Discrete(3)
X = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)


def q_network(activation="relu", noisy=False):
    module = QNetwork(MLP(4, (8, 8), activation=activation), nn.Linear(8, 3))
    return FastQNetwork(noisy_(module, std=0.5) if noisy else module, ExpectedReturn("huber"))


def actor_critic(activation="tanh", encoder="auto"):
    actions = action_model(ACTIONS, squash=False, log_std=0.0)
    return FastActorCritic(
        ActorCritic(SPACE, actions, encoder=encoder, hidden=(8,), activation=activation)
    )


def perturb(weights):
    with torch.no_grad():
        weights.add_(0.3 * torch.randn(weights.shape, generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("activation", ["relu", "gelu"], ids=["numpy", "torch"])
@pytest.mark.parametrize("learn", [True, False], ids=["vector", "module"])
def test_all_forms_of_a_q_network_know_its_weights(activation, learn):
    network = q_network(activation)
    before = network.values(X, None, None, noise=True)[0].copy()
    if learn:
        perturb(network.weights)
    else:
        other = deepcopy(network.module)
        for parameter in other.parameters():
            perturb(parameter)
        network.module.load_state_dict(other.state_dict())
    with torch.no_grad():
        expected = network.module(torch.from_numpy(X))
    assert not np.allclose(expected, before, atol=0.05)
    acted, state = network.values(X, None, None, noise=True)
    np.testing.assert_allclose(acted, expected, rtol=0, atol=1e-6)
    assert state is None
    torch.testing.assert_close(network.forward(torch.from_numpy(X)), expected, rtol=0, atol=1e-6)
    flat = nn.utils.parameters_to_vector(network.module.parameters())
    assert torch.equal(network.weights, flat)


@pytest.mark.parametrize(
    ("activation", "encoder"), [("tanh", "auto"), ("gelu", "auto"), ("tanh", "gru")]
)
def test_all_forms_of_an_actor_critic_know_its_weights(activation, encoder):
    network = actor_critic(activation, encoder)
    before, _ = network.policy(X, None, None)
    perturb(network.weights)
    with torch.no_grad():
        outputs, value, after = network.module(torch.from_numpy(X)[None])
    acted, state = network.policy(X, None, None)
    assert not np.allclose(acted, before, atol=0.05)
    np.testing.assert_allclose(acted, outputs[0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(network.value(X, None), value[0], rtol=0, atol=1e-6)
    assert (state is None) == (encoder == "auto")
    if state is not None:
        torch.testing.assert_close(state, after)
    learned = network.forward(torch.from_numpy(X)[None])
    torch.testing.assert_close(learned, (outputs, value), rtol=0, atol=1e-6)


def test_a_step_forward_and_backward_are_autograds_through_the_module():
    network, pull = q_network(), torch.randn(7, 3)
    (network.module(torch.from_numpy(X)) * pull).sum().backward()
    expected = network.weights.grad.clone()
    network.weights.grad.zero_()
    with torch.no_grad():  # as in an update
        network.forward(torch.from_numpy(X))
        network.backward(pull)
    torch.testing.assert_close(network.weights.grad, expected)


@pytest.mark.parametrize("rate", [1.0, 0.25])
def test_one_network_follows_another(rate):
    follower, leader = q_network(), q_network()
    perturb(leader.weights)
    own, other = follower.weights.detach().clone(), leader.weights.detach().clone()
    follower.follow(leader, rate)
    expected = (1 - rate) * own + rate * other
    torch.testing.assert_close(follower.weights.detach(), expected)
    assert rate < 1.0 or torch.equal(follower.weights, leader.weights)  # a copy, to the last bit
    assert torch.equal(leader.weights, other)


def test_noise_is_drawn_or_left_out_and_the_mode_stays():
    network = q_network(noisy=True)
    first, second = (network.values(X, None, None, noise=True)[0] for _ in range(2))
    assert not np.array_equal(first, second)
    mean, again = (network.values(X, None, None, noise=False)[0] for _ in range(2))
    np.testing.assert_array_equal(mean, again)
    assert all(module.training for module in network.module.modules())
