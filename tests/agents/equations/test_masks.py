"""A masked distribution is the distribution of the allowed actions, and the others do not exist."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agents.equations.exploration import boltzmann, epsilon_greedy, uniform
from agents.equations.masks import masked
from agents.equations.targets import double_q_learning_target, q_learning_target
from agents.policy_gradient.actions import action_model
from nets.layers.distributions import Categorical

ACTIONS = 5
LOGITS = arrays(np.float32, (3, ACTIONS), elements=st.floats(-80, 80, width=32))
MASKS = arrays(bool, (3, ACTIONS)).filter(lambda mask: mask.any(axis=1).all())


def test_without_a_mask_nothing_is_copied():
    values = torch.randn(3)
    assert masked(values, None) is values


@settings(max_examples=50, deadline=None)
@given(LOGITS, MASKS)
def test_masked_logits_are_those_of_the_allowed_actions(logits, mask):
    both = torch.from_numpy(logits), torch.from_numpy(mask)
    whole = Categorical(masked(*both))
    assert (whole.probs[~both[1]] == 0.0).all()
    torch.testing.assert_close(whole.probs.sum(-1), torch.ones(3))
    for row in range(3):
        part = Categorical(both[0][row][both[1][row]])
        torch.testing.assert_close(whole.probs[row][both[1][row]], part.probs)
        torch.testing.assert_close(whole.entropy()[row], part.entropy())
    best = masked(logits, mask).argmax(axis=1)
    np.testing.assert_array_equal(best, masked(*both).argmax(-1).numpy())
    assert mask[np.arange(3), best].all()


@pytest.mark.parametrize("space", [gym.spaces.Discrete(5), gym.spaces.MultiDiscrete([3, 2])])
@settings(max_examples=25, deadline=None)
@given(LOGITS, MASKS, st.integers(0, 2**31))
def test_slopes_are_those_of_autograd_and_0_where_masked(space, logits, mask, seed):
    if isinstance(space, gym.spaces.MultiDiscrete):
        mask[:, [0, 3]] |= ~np.logical_or.reduceat(mask, [0, 3], axis=1)  # of each choice, one
    model, rng = action_model(space), np.random.default_rng(seed)
    raw, allowed = torch.from_numpy(logits), torch.from_numpy(mask)
    choice = torch.from_numpy(model.sample(masked(logits, mask), rng))
    weights = [torch.from_numpy(rng.normal(size=3).astype(np.float32)) for _ in range(2)]
    outputs = masked(raw, allowed)
    slope = model.slope(outputs, model.distribution(outputs), choice, *weights)
    leaf = raw.double().requires_grad_()
    distribution = model.distribution(masked(leaf, allowed))
    log_prob, entropy = distribution.log_prob(choice), distribution.entropy()
    assert torch.isfinite(log_prob).all()
    (weights[0] * log_prob + weights[1] * entropy).sum().backward()
    assert (slope[~allowed] == 0.0).all()
    assert (leaf.grad[~allowed] == 0.0).all()
    torch.testing.assert_close(slope, leaf.grad.float(), rtol=1e-3, atol=1e-4)


@settings(max_examples=50, deadline=None)
@given(LOGITS, MASKS, st.floats(0, 1), st.integers(0, 2**31))
def test_nothing_is_drawn_that_is_not_allowed(logits, mask, epsilon, seed):
    rng = np.random.default_rng(seed)
    for drawn in (
        epsilon_greedy(logits, epsilon, rng, mask),
        uniform(3, ACTIONS, rng, mask),
        boltzmann(masked(logits, mask), 1.0, rng),
    ):
        assert mask[np.arange(3), drawn].all()


def test_A_CORE_04_allowed_actions_are_drawn_alike():
    mask = np.tile([True, False, True, False, True], (30_000, 1))
    counts = np.bincount(uniform(30_000, 5, np.random.default_rng(0), mask), minlength=5)
    assert counts[[1, 3]].tolist() == [0, 0]
    np.testing.assert_allclose(counts[[0, 2, 4]], 10_000, atol=400)


def test_a_bootstrap_reads_allowed_values_only():
    q_t = torch.tensor([[9.0, 1.0, 2.0]])
    mask = torch.tensor([[False, True, True]])
    r_t, discount_t = torch.tensor([1.0]), torch.tensor([0.5])
    assert q_learning_target(r_t, discount_t, masked(q_t, mask)).item() == 2.0
    selector = masked(torch.tensor([[5.0, 3.0, 0.0]]), mask)
    assert double_q_learning_target(r_t, discount_t, q_t, selector).item() == 1.5
    over = torch.tensor([0.0])  # an end: whatever is masked, nothing follows
    nothing = torch.zeros(1, 3, dtype=torch.bool)
    assert q_learning_target(r_t, over, masked(q_t, nothing)).item() == 1.0
