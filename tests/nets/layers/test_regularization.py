"""Penalties, proximal steps and noise against closed forms."""

import numpy as np
import pytest
import torch
from torch import nn

from nets.gradients.optim import optimizer
from nets.layers.mlp import MLP
from nets.layers.norm import norm
from nets.layers.regularization import (
    ActivityPenalty,
    GaussianNoise,
    count_nonzero,
    decaying,
    penalty,
    soft_threshold_,
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), norm("batch", 4), nn.PReLU(4), nn.Linear(4, 2)).double()


def test_N_REG_01_penalties_are_about_weights_alone(network):
    assert [tuple(weight.shape) for weight in decaying(network)] == [(4, 3), (2, 4)]
    assert penalty(network).item() == 0.0
    expected = sum(np.abs(network[k].weight.detach().numpy()).sum() for k in (0, 3))
    assert penalty(network, l1=0.3).item() == pytest.approx(0.3 * expected)


def test_N_REG_02_three_scalings_of_l2_are_one(network):
    """½α‖w‖² = λ/(2m)‖w‖² = l2·Σw² with α = λ/m = 2·l2, and so are their gradients."""
    alpha, m = 0.12, 50
    lam, l2 = alpha * m, alpha / 2
    weights = list(decaying(network))
    squares = sum(weight.square().sum() for weight in weights)
    gradients = [
        torch.autograd.grad(loss, weights, retain_graph=True)
        for loss in (0.5 * alpha * squares, lam / (2 * m) * squares, penalty(network, l2=l2))
    ]
    for first, second, third in zip(*gradients, strict=True):
        torch.testing.assert_close(first, second)
        torch.testing.assert_close(first, third)


def test_N_REG_03_weight_decay_is_the_penalty_for_sgd_and_not_for_adam(network):
    def steps(name, decay, l2):
        torch.manual_seed(1)
        model = MLP(3, [4], 2).double()
        x = torch.randn(8, 3, dtype=torch.float64)
        opt = optimizer(name, model, lr=0.1, weight_decay=decay)
        for _ in range(5):
            opt.zero_grad()
            (model(x).square().sum() + penalty(model, l2=l2)).backward()
            opt.step()
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    alpha = 0.2
    torch.testing.assert_close(
        steps("sgd", alpha, 0.0), steps("sgd", 0.0, alpha / 2), rtol=0, atol=1e-12
    )
    assert not torch.allclose(steps("adamw", alpha, 0.0), steps("adam", 0.0, alpha / 2), atol=1e-3)


def test_N_REG_04_proximal_steps_find_the_soft_threshold_and_exact_zeros():
    """min ½‖w − w*‖² + α‖w‖₁ is S(w*, α) = sign(w*)·max(|w*| − α, 0)."""
    best = torch.tensor([[2.0, -0.3, 0.05, -1.5, 0.4]], dtype=torch.float64)
    alpha, rate = 0.5, 0.1
    expected = best.sign() * (best.abs() - alpha).clamp_min(0.0)
    found = {}
    for kind in ("proximal", "subgradient"):
        model = nn.Linear(5, 1, bias=False).double()
        nn.init.ones_(model.weight)
        opt = optimizer("sgd", model, lr=rate)
        for _ in range(300):
            opt.zero_grad()
            loss = 0.5 * (model.weight - best).square().sum()
            if kind == "subgradient":
                loss = loss + penalty(model, l1=alpha)
            loss.backward()
            opt.step()
            if kind == "proximal":
                soft_threshold_(model, rate * alpha)
        found[kind] = model
    torch.testing.assert_close(found["proximal"].weight.detach(), expected, rtol=0, atol=1e-12)
    assert count_nonzero(found["proximal"]) == 2
    assert count_nonzero(found["subgradient"]) == 5  # it swings around 0


def test_N_REG_05_nonzero_weights_are_counted(network):
    network[0].weight.data[0] = 0.0
    network[0].bias.data.zero_()  # biases do not count
    assert count_nonzero(network) == 4 * 3 + 2 * 4 - 3


def test_N_REG_06_elastic_penalty_and_its_gradient(network):
    weights = list(decaying(network))
    value = penalty(network, l1=0.1, l2=0.7)
    numbers = np.concatenate([weight.detach().numpy().ravel() for weight in weights])
    assert value.item() == pytest.approx(0.1 * np.abs(numbers).sum() + 0.7 * (numbers**2).sum())
    for weight, gradient in zip(weights, torch.autograd.grad(value, weights), strict=True):
        w = weight.detach()
        torch.testing.assert_close(gradient, 0.1 * w.sign() + 1.4 * w)


def test_N_REG_07_activities_are_penalised_as_if_by_hand(network):
    torch.manual_seed(2)
    x = torch.randn(6, 3, dtype=torch.float64)
    first, last = network[0], network[3]
    with ActivityPenalty(network[2], l1=0.2, l2=0.3) as activities:
        network(x)
        seen = torch.autograd.grad(activities.take(), first.weight)[0]
    hidden = network[2](network[1](first(x)))
    by_hand = (0.2 * hidden.abs().sum() + 0.3 * hidden.square().sum()) / len(x)
    torch.testing.assert_close(seen, torch.autograd.grad(by_hand, first.weight)[0])
    network(x)  # the layers have been let go
    with pytest.raises(RuntimeError, match="have not been called"):
        activities.take()
    assert not last._forward_hooks


def test_N_REG_08_ridge_is_the_posterior_mode_under_a_gaussian_prior():
    """y = Xw + N(0, s²), w ~ N(0, t²): the mode minimises the squared error + (s/t)²‖w‖²."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)), rng.normal(size=(30, 1))
    noise, prior = 0.7, 0.4
    precision = x.T @ x / noise**2 + np.eye(4) / prior**2
    mode = np.linalg.solve(precision, x.T @ y / noise**2)
    model = nn.Linear(4, 1, bias=False).double()
    exact = {"tolerance_grad": 1e-12, "tolerance_change": 0.0}
    opt = torch.optim.LBFGS(model.parameters(), max_iter=200, **exact)

    def closure():
        opt.zero_grad()
        error = (model(torch.from_numpy(x)) - torch.from_numpy(y)).square().sum()
        loss = error + penalty(model, l2=(noise / prior) ** 2)
        loss.backward()
        return loss

    opt.step(closure)
    np.testing.assert_allclose(model.weight.detach().numpy().T, mode, atol=1e-8)


def test_N_REG_09_dropout_is_inverted_and_takes_the_rate_of_dropping():
    torch.manual_seed(0)
    layer = MLP(4, [5], dropout=0.2)
    (dropout,) = [module for module in layer.modules() if isinstance(module, nn.Dropout)]
    x = torch.tensor([1.0, -2.0, 3.0])
    y = dropout(x.expand(100_000, 3))
    torch.testing.assert_close(y.mean(0), x, rtol=0.01, atol=0.0)
    kept = y[:, 0] != 0
    assert kept.float().mean().item() == pytest.approx(0.8, abs=0.005)
    assert (y[kept, 0] == 1.25).all()  # 1 / keep, at once
    assert torch.equal(dropout.eval()(x), x)
    assert torch.equal(nn.Dropout(0.0)(x), x)
    assert (nn.Dropout(1.0)(x) == 0.0).all()


def test_N_REG_11_noise_has_its_deviation_in_training_and_is_none_in_evaluation():
    torch.manual_seed(0)
    noise, x = GaussianNoise(0.3), torch.full((200_000,), 5.0)
    y = noise(x)
    assert (y - x).std().item() == pytest.approx(0.3, rel=0.01)
    assert (y - x).mean().item() == pytest.approx(0.0, abs=4 * 0.3 / 200_000**0.5)
    assert torch.equal(noise.eval()(x), x)


def test_N_REG_11_noise_on_the_input_of_a_linear_model_is_ridge():
    """E[(w·(x + σε) − y)²] = (w·x − y)² + σ²‖w‖² (Bishop, 1995)."""
    torch.manual_seed(0)
    model, std = nn.Linear(3, 1, bias=False), 0.5
    x, y = torch.randn(4, 3), torch.randn(4, 1)
    noisy = GaussianNoise(std)(x.expand(100_000, 4, 3))
    mean = (model(noisy) - y).square().mean(0).sum()
    ridge = (model(x) - y).square().sum() + 4 * std**2 * model.weight.square().sum()
    assert mean.item() == pytest.approx(ridge.item(), rel=0.01)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda n: penalty(n, l1=-1.0), "l1 must not be negative, got -1"),
        (lambda n: soft_threshold_(n, -0.1), "threshold must not be negative, got -0.1"),
        (lambda n: GaussianNoise(-1.0), "std must not be negative, got -1"),
        (lambda n: ActivityPenalty(l1=1.0), "at least one layer"),
        (lambda n: ActivityPenalty(n, l2=-1.0), "must not be negative, got 0.0 and -1.0"),
    ],
)
def test_what_cannot_be_is_refused(network, call, message):
    with pytest.raises(ValueError, match=message):
        call(network)
