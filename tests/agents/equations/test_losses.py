"""Policy-gradient losses: by hand, by autograd, and by a bandit whose gradient is known."""

import math

import numpy as np
import pytest
import torch

from agents.equations.losses import (
    clipped_half_square,
    clipped_surrogate,
    half_square,
    importance_ratio,
    kl_estimate,
    policy_gradient,
)
from nets.layers.distributions import Categorical, Gaussian

SAMPLES = 100_000
LOGITS = torch.tensor([0.4, -0.3], dtype=torch.double)
MEANS = torch.tensor([1.0, 3.0], dtype=torch.double)  # of the arms' rewards, with noise of σ = 1


def bandit(seed=0):
    """Actions of the softmax policy and the rewards that the arms gave."""
    rng = np.random.default_rng(seed)
    first = float(Categorical(LOGITS).probs[0])
    action = torch.tensor((rng.random(SAMPLES) >= first).astype(np.int64))
    return action, MEANS[action] + torch.tensor(rng.normal(size=SAMPLES))


def gradients(action, advantage, loss=policy_gradient):
    """−∂loss/∂logits of every sample, `[N, 2]`."""
    logits = LOGITS.repeat(len(action), 1).requires_grad_()
    loss(Categorical(logits).log_prob(action), advantage).value.sum().backward()
    return -logits.grad


def exact_gradient():
    """∂J/∂zₐ = πₐ (rₐ − J) for J = Σ πₐ rₐ and softmax logits z."""
    p = np.exp(LOGITS.numpy()) / np.exp(LOGITS.numpy()).sum()
    return p * (MEANS.numpy() - p @ MEANS.numpy())


def deviations(sample):
    """How many standard errors the mean lies from the exact gradient, `[2]`."""
    error = sample.std(0) / np.sqrt(len(sample))
    return np.abs(sample.mean(0).numpy() - exact_gradient()) / error.numpy()


@pytest.mark.parametrize("baseline", [0.0, 2.0, -5.0])
def test_A_PG_02_bandit_gradient_is_the_analytic_one(baseline):
    action, reward = bandit()
    assert (deviations(gradients(action, reward - baseline)) < 3.0).all()


def test_A_PG_02_a_wrong_sign_and_a_wrong_sample_are_caught():
    action, reward = bandit()
    assert (deviations(-gradients(action, reward)) > 30.0).all()
    other = gradients(1 - action, reward)
    assert (deviations(other) > 30.0).all()


def test_A_PG_03_a_baseline_keeps_the_mean_and_cuts_the_variance():
    action, reward = bandit()
    plain = gradients(action, reward)
    value = float(Categorical(LOGITS).probs @ MEANS)
    better = gradients(action, reward - value)
    difference = plain - better
    error = difference.std(0) / np.sqrt(SAMPLES)
    assert (difference.mean(0).abs() < 3.0 * error).all()
    assert (better.var(0) / plain.var(0) < 0.5).all()


def two_steps(seed=1):
    """Rewards after two independent choices with one policy, `[2, N]`, and the choices."""
    rng = np.random.default_rng(seed)
    probability = float(Categorical(LOGITS).probs[1])
    action = torch.tensor((rng.random((2, SAMPLES)) < probability).astype(np.int64))
    return action, MEANS[action] + torch.tensor(rng.normal(size=(2, SAMPLES)))


def test_A_PG_04_rewards_before_an_action_only_add_variance():
    action, reward = two_steps()
    whole = gradients(action[1], reward.sum(0))  # the second choice, with all rewards
    to_go = gradients(action[1], reward[1])  # with those that it can have caused
    assert (deviations(to_go) < 3.0).all()
    assert (deviations(whole) < 3.0).all()
    assert (to_go.var(0) / whole.var(0) < 0.5).all()


def test_A_PG_01_the_objective_of_two_steps_is_the_expected_sum_of_rewards():
    """∇J of J = E[r₁ + r₂] is the sum of both steps' score times the return: twice one step's."""
    action, reward = two_steps()
    logits = LOGITS.repeat(SAMPLES, 1).requires_grad_()
    log_prob = Categorical(logits).log_prob
    score = log_prob(action[0]) + log_prob(action[1])  # log p(τ) up to the world's part
    policy_gradient(score, reward.sum(0)).value.sum().backward()
    sample = -logits.grad / 2.0
    assert (deviations(sample) < 3.0).all()


def test_ratio_of_one_policy_to_itself_is_one_and_reweights_to_another():
    generator = torch.Generator().manual_seed(0)
    mu = Gaussian(torch.zeros(SAMPLES, 1).double(), torch.zeros(1).double())
    pi = Gaussian(torch.full((SAMPLES, 1), 0.3).double(), torch.tensor([-0.2]).double())
    action = mu.sample(generator)
    assert importance_ratio(mu.log_prob(action), mu.log_prob(action)).tolist() == [1.0] * SAMPLES
    ratio = importance_ratio(pi.log_prob(action), mu.log_prob(action))
    for statistic, expected in ((1.0, 1.0), (action[:, 0], 0.3)):
        sample = ratio * statistic
        assert abs(sample.mean() - expected) < 3.0 * sample.std() / np.sqrt(SAMPLES)


@pytest.mark.parametrize(
    ("ratio", "advantage", "value", "slope"),
    [
        (1.0, 2.0, -2.0, -2.0),
        (1.1, 2.0, -2.2, -2.2),
        (1.5, 2.0, -2.4, 0.0),  # good action, probable enough
        (0.5, 2.0, -1.0, -1.0),  # good action, lost: pull back
        (0.5, -2.0, 1.6, 0.0),  # bad action, improbable enough
        (1.5, -2.0, 3.0, 3.0),  # bad action, gained: push back
        (math.inf, 2.0, -2.4, 0.0),  # far beyond numbers: still no more than probable enough
    ],
)
def test_clipped_surrogate_by_hand(ratio, advantage, value, slope):
    found = clipped_surrogate(torch.tensor(ratio), torch.tensor(advantage), 0.2)
    assert found.value.item() == pytest.approx(value)
    assert found.slope.item() == pytest.approx(slope)


def test_surrogate_at_the_old_policy_has_the_policy_gradient():
    action, reward = bandit()
    old = Categorical(LOGITS.expand(SAMPLES, 2)).log_prob(action)

    def surrogate(log_prob, advantage):
        return clipped_surrogate(importance_ratio(log_prob, old), advantage, 0.2)

    torch.testing.assert_close(
        gradients(action, reward - 2.0, surrogate), gradients(action, reward - 2.0)
    )


@pytest.mark.parametrize(
    ("value", "target", "loss", "slope"),
    [
        (1.1, 3.0, 0.5 * 1.9**2, -1.9),
        (1.5, 3.0, 0.5 * 1.8**2, 0.0),  # moved far enough towards the target
        (0.5, 3.0, 0.5 * 2.5**2, -2.5),  # moved away: free to come back
    ],
)
def test_clipped_half_square_by_hand(value, target, loss, slope):
    """The old value was 1, ε = 0.2."""
    found = clipped_half_square(torch.tensor(value), torch.tensor(1.0), torch.tensor(target), 0.2)
    assert found.value.item() == pytest.approx(loss)
    assert found.slope.item() == pytest.approx(slope)


LOSSES = {  # of log π or v, x, and two numbers beside it
    "policy_gradient": lambda x, a, b: policy_gradient(x, a),
    "clipped_surrogate": lambda x, a, b: clipped_surrogate(importance_ratio(x, b), a, 0.2),
    "half_square": lambda x, a, b: half_square(x - a),
    "clipped_half_square": lambda x, a, b: clipped_half_square(x, a, b, 0.2),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_slope_is_what_autograd_makes_of_the_value(name):
    x, a, b = 0.5 * torch.randn(3, 1000, generator=torch.Generator().manual_seed(0)).double()
    loss = LOSSES[name](x.requires_grad_(), a, b)
    loss.value.sum().backward()
    torch.testing.assert_close(loss.slope.detach(), x.grad)
    still = (x.grad == 0).double().mean()
    assert 0.1 < still < 0.9 if "clipped" in name else still == 0


def test_kl_estimate_is_positive_and_right_on_average():
    generator = torch.Generator().manual_seed(0)
    mu, pi = Categorical(LOGITS.repeat(SAMPLES, 1)), Categorical(LOGITS.flip(0).repeat(SAMPLES, 1))
    action = mu.sample(generator)
    sample = kl_estimate(pi.log_prob(action), mu.log_prob(action))
    p, q = mu.probs[0], pi.probs[0]
    exact = (p * (p / q).log()).sum()
    assert (sample >= 0).all()
    assert abs(sample.mean() - exact) < 3.0 * sample.std() / np.sqrt(SAMPLES)
