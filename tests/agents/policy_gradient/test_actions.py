"""Models of actions, against torch.distributions, autograd, and counted draws."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal
from torch.distributions import Categorical as TorchCategorical

from agents.policy_gradient.actions import action_model
from nets.layers.distributions import TanhGaussian

DRAWS = 40_000
SPACES = {
    "discrete": gym.spaces.Discrete(3, start=5),
    "multi-discrete": gym.spaces.MultiDiscrete([2, 3]),
    "multi-discrete square": gym.spaces.MultiDiscrete([[2, 3], [4, 2]], start=[[0, 1], [2, 3]]),
    "multi-binary": gym.spaces.MultiBinary(4),
    "multi-binary square": gym.spaces.MultiBinary((2, 3)),
    "box": gym.spaces.Box(np.array([-2, 0], np.float32), np.array([2, 10], np.float32)),
    "box float64": gym.spaces.Box(-0.1, 0.3, (2, 2), np.float64),
    "half-open": gym.spaces.Box(*np.array([[0, -1], [np.inf, 1]], np.float32)),
}


def rows(model, count, seed=0, scale=1.0):
    return scale * np.random.default_rng(seed).normal(size=(count, model.size)).astype(np.float32)


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
def test_whatever_is_chosen_is_in_the_space(space):
    model, rng = action_model(space), np.random.default_rng(0)
    outputs = rows(model, 200, scale=5.0)
    for choice in (model.sample(outputs, rng), model.mode(outputs)):
        actions = model.to_space(choice)
        assert len(actions) == 200
        for action in actions:
            assert space.contains(action if action.ndim else space.dtype.type(action))


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
def test_torch_takes_the_actions_that_numpy_takes(space):
    model = action_model(space)
    outputs = rows(model, 200, scale=2.0)
    expected = model.to_space(model.mode(outputs))
    found = model.to_space(model.mode(torch.from_numpy(outputs))).numpy()
    assert found.dtype == expected.dtype == space.dtype
    assert len(np.unique(expected, axis=0)) > 1
    np.testing.assert_array_equal(found, expected)


def expected_log_prob(name, model, outputs, choice):
    """The log-probability and entropy by torch's own distributions."""
    if name == "discrete":
        d = TorchCategorical(logits=outputs)
        return d.log_prob(choice), d.entropy()
    if name == "multi-discrete":
        parts = [TorchCategorical(logits=x) for x in outputs.split([2, 3], -1)]
        return (
            sum(d.log_prob(c) for d, c in zip(parts, choice.unbind(-1), strict=True)),
            sum(d.entropy() for d in parts),
        )
    if name == "multi-binary":
        d = Bernoulli(logits=outputs)
    else:
        d = Normal(outputs, model.log_std.exp())
    return d.log_prob(choice).sum(-1), d.entropy().sum(-1)


@pytest.mark.parametrize("name", ["discrete", "multi-discrete", "multi-binary", "box"])
def test_N_HEAD_05_probabilities_and_their_slopes_are_torchs(name):
    model = action_model(SPACES[name], log_std=-0.4).double()
    raw = rows(model, 50)
    choice = torch.from_numpy(model.sample(raw, np.random.default_rng(1)))
    if choice.is_floating_point():
        choice = choice.double()
    outputs = torch.from_numpy(raw).double().requires_grad_()
    log_prob, entropy = expected_log_prob(name, model, outputs, choice)
    found = model.distribution(outputs)
    torch.testing.assert_close(found.log_prob(choice), log_prob)
    torch.testing.assert_close(found.entropy(), entropy)
    one, other = torch.randn(2, 50, generator=torch.Generator().manual_seed(0)).double()
    for entropy_slope in (None, other):
        loss = (log_prob * one).sum()
        if entropy_slope is not None:
            loss = loss + (entropy * entropy_slope).sum()
        targets = [outputs, *model.parameters()]
        expected = torch.autograd.grad(loss, targets, retain_graph=True)
        model.zero_grad()
        slope = model.slope(
            outputs.detach(), model.distribution(outputs.detach()), choice, one, entropy_slope
        )
        torch.testing.assert_close((slope, *(p.grad for p in model.parameters())), expected)


def test_A_CORE_04_discrete_choices_are_drawn_by_their_probabilities():
    logits = np.array([0.5, -1.0, 1.2], np.float32)
    p = np.exp(logits) / np.exp(logits).sum()
    model = action_model(gym.spaces.Discrete(3))
    draws = model.sample(np.tile(logits, (DRAWS, 1)), np.random.default_rng(0))
    found = np.bincount(draws, minlength=3) / DRAWS
    assert (np.abs(found - p) < 4 * np.sqrt(p * (1 - p) / DRAWS)).all()
    multi = action_model(gym.spaces.MultiDiscrete([2, 3]))
    both = multi.sample(np.tile([0.0, 0.0, *logits], (DRAWS, 1)), np.random.default_rng(0))
    found = np.bincount(both[:, 1], minlength=3) / DRAWS
    assert (np.abs(found - p) < 4 * np.sqrt(p * (1 - p) / DRAWS)).all()
    assert abs(np.corrcoef(both.T)[0, 1]) < 4 / np.sqrt(DRAWS)


def test_coins_fall_by_their_probabilities():
    logits = np.array([0.0, 2.0, -1.0], np.float32)
    p = 1 / (1 + np.exp(-logits))
    model = action_model(gym.spaces.MultiBinary(3))
    found = model.sample(np.tile(logits, (DRAWS, 1)), np.random.default_rng(0)).mean(0)
    assert (np.abs(found - p) < 4 * np.sqrt(p * (1 - p) / DRAWS)).all()


def test_box_choices_have_mean_and_deviation_in_units_of_the_space():
    space = gym.spaces.Box(-4.0, 8.0, (1,))
    model = action_model(space, log_std=np.log(0.1))
    outputs = np.full((DRAWS, 1), 0.25, np.float32)
    action = model.to_space(model.sample(outputs, np.random.default_rng(0)))
    assert abs(action.mean() - (2.0 + 6.0 * 0.25)) < 4 * 0.6 / np.sqrt(DRAWS)
    assert action.std() == pytest.approx(0.6, rel=0.02)


def test_N_HEAD_05_squashed_choices_are_a_tanh_gaussian():
    """The same actions from the same noise, the same gradient of log π as with the determinant."""
    low, high = torch.tensor([-2.0]).double(), torch.tensor([6.0]).double()
    space = gym.spaces.Box(-2.0, 6.0, (1,), np.float64)
    model = action_model(space, squash=True, log_std=-0.3).double()
    choice = torch.from_numpy(rows(model, 100, scale=1.5)).double()
    mean = torch.from_numpy(rows(model, 100, seed=1)).double().requires_grad_()
    log_std = model.log_std.detach().clone().requires_grad_()
    action = torch.from_numpy(model.to_space(choice.numpy()))
    reference = TanhGaussian(mean, log_std, low, high)
    expected = torch.autograd.grad(reference.log_prob(action).sum(), [mean, log_std])
    plain = model.distribution(mean.detach())
    slope = model.slope(mean.detach(), plain, choice, torch.ones(100).double(), None)
    torch.testing.assert_close((slope, model.log_std.grad), expected, rtol=1e-6, atol=1e-8)
    at = torch.zeros(100, 1).double()
    torch.testing.assert_close(
        torch.from_numpy(model.to_space(at.numpy())), TanhGaussian(at, at, low, high).mode()
    )


def test_what_cannot_be_acted_in_is_refused():
    with pytest.raises(TypeError, match=r"cannot act in Text.*: expected Discrete, MultiDiscrete"):
        action_model(gym.spaces.Text(3))
    with pytest.raises(TypeError, match="cannot act in Box"):
        action_model(gym.spaces.Box(0, 255, (2,), np.uint8))
    with pytest.raises(ValueError, match="squash needs finite bounds"):
        action_model(SPACES["half-open"], squash=True)
