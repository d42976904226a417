"""Distributional mathematics against loops in double precision, identities and autograd."""

import numpy as np
import pytest
import torch
from scipy.stats import expon, norm
from torch.nn import functional

from agents.equations.distributional import (
    categorical_divergence,
    categorical_projection,
    quantile_huber,
)


def project(returns, probability, low, high):
    """Bellemare, Dabney & Munos (2017), algorithm 1, atom by atom."""
    atoms = len(probability)
    spacing = (high - low) / (atoms - 1)
    projected = np.zeros(atoms)
    for y, p in zip(returns, probability, strict=True):
        b = (min(max(y, low), high) - low) / spacing
        lower, upper = int(np.floor(b)), int(np.ceil(b))
        if lower == upper:
            projected[lower] += p
        else:
            projected[lower] += p * (upper - b)
            projected[upper] += p * (b - lower)
    return projected


# Projection -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("atoms", "low", "high"), [(2, 0.0, 1.0), (51, -10.0, 10.0), (7, 3, 90)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_projection_is_the_papers_algorithm(atoms, low, high, dtype):
    rng = np.random.default_rng(atoms)
    width = high - low
    returns = rng.uniform(low - 0.3 * width, high + 0.3 * width, size=(4, 6, atoms))
    returns[0, 0] = np.linspace(low, high, atoms)  # exactly on the atoms
    probability = rng.dirichlet(np.ones(atoms), size=(4, 6))
    got = categorical_projection(
        torch.tensor(returns, dtype=dtype), torch.tensor(probability, dtype=dtype), low, high
    )
    expected = [
        [project(*row, low, high) for row in zip(*rows, strict=True)]
        for rows in zip(returns, probability, strict=True)
    ]
    tolerance = 1e-12 if dtype == torch.float64 else 2e-6
    np.testing.assert_allclose(got.numpy(), expected, rtol=0, atol=tolerance)
    torch.testing.assert_close(got.sum(-1), torch.ones(4, 6, dtype=dtype))  # mass


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ([0.0, 1.0, 2.0], [0.2, 0.3, 0.5]),  # on the atoms
        ([1.0, 2.0, 3.0], [0.0, 0.2, 0.8]),  # one to the right: the last is cut
        ([-5.0, 0.0, 99.0], [0.5, 0.0, 0.5]),  # both edges
        ([0.25, 0.5, 1.75], [0.2 * 0.75 + 0.15, 0.05 + 0.15 + 0.125, 0.375]),
        ([1.0, 1.0, 1.0], [0.0, 1.0, 0.0]),  # discount 0: all mass on the reward
    ],
)
def test_projections_by_hand(returns, expected):
    probability = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    got = categorical_projection(torch.tensor(returns, dtype=torch.float64), probability, 0.0, 2.0)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_the_projection_keeps_the_mean_inside_the_support():
    rng = np.random.default_rng(0)
    support = np.linspace(-2, 5, 21)
    returns = torch.from_numpy(rng.uniform(-2, 5, size=(100, 21)))
    probability = torch.from_numpy(rng.dirichlet(np.ones(21), size=100))
    got = categorical_projection(returns, probability, -2.0, 5.0)
    before = (returns * probability).sum(-1)
    torch.testing.assert_close(got @ torch.from_numpy(support), before, rtol=0, atol=1e-12)
    outside = categorical_projection(returns + 3, probability, -2.0, 5.0)
    assert (outside @ torch.from_numpy(support) < before + 3).all()  # negative control


@pytest.mark.parametrize("seed", range(3))
def test_the_categorical_divergence_has_the_gradient_of_the_cross_entropy(seed):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(5, 11, generator=generator, dtype=torch.float64, requires_grad=True)
    target = torch.rand(5, 11, generator=generator, dtype=torch.float64).softmax(-1)
    target[0] = functional.one_hot(torch.tensor(3), 11)  # a sure return
    loss = functional.cross_entropy(logits, target, reduction="sum")
    loss.backward()
    divergence, slope = categorical_divergence(logits.detach(), target)
    torch.testing.assert_close(slope, logits.grad)
    expected = functional.kl_div(logits.detach().log_softmax(-1), target, reduction="none")
    torch.testing.assert_close(divergence, expected.sum(-1))
    assert (divergence > 0).all()
    same = categorical_divergence(target[1:].log(), target[1:])
    torch.testing.assert_close(same.value, torch.zeros(4, dtype=torch.float64), rtol=0, atol=1e-12)


# Quantiles --------------------------------------------------------------------------------------


def loop_loss(quantiles, target, kappa):
    """Dabney et al. (2018), equations 9 and 10, by four loops."""
    count, total = len(quantiles), 0.0
    for i, theta in enumerate(quantiles):
        tau = (2 * i + 1) / (2 * count)
        for y in target:
            u = y - theta
            huber = 0.5 * u * u if abs(u) <= kappa else kappa * (abs(u) - 0.5 * kappa)
            total += abs(tau - (u < 0)) * huber / kappa / len(target)
    return total


@pytest.mark.parametrize("kappa", [1.0, 0.3, 5.0])
@pytest.mark.parametrize(("count", "others"), [(1, 1), (5, 5), (4, 9)])
def test_the_quantile_loss_is_its_definition_and_the_slope_its_gradient(count, others, kappa):
    rng = np.random.default_rng(count)
    quantiles = torch.from_numpy(rng.normal(size=(3, 2, count))).requires_grad_()
    target = torch.from_numpy(2 * rng.normal(size=(3, 2, others)))
    loss, slope = quantile_huber(quantiles, target, kappa)
    expected = [
        [loop_loss(*pair, kappa) for pair in zip(*row, strict=True)]
        for row in zip(quantiles.detach().numpy(), target.numpy(), strict=True)
    ]
    np.testing.assert_allclose(loss.detach(), expected, rtol=1e-12)
    loss.sum().backward()
    torch.testing.assert_close(slope.detach(), quantiles.grad, rtol=0, atol=1e-12)
    assert slope.abs().max() > 0.05


@pytest.mark.parametrize("distribution", [norm(1, 2), expon(0, 3)], ids=["normal", "exponential"])
def test_the_quantile_loss_is_least_at_the_quantiles(distribution):
    count = 9
    tau = (np.arange(count) + 0.5) / count
    sample = distribution.ppf((np.arange(2000) + 0.5) / 2000)
    target = torch.from_numpy(sample)
    quantiles = torch.full((count,), float(sample.mean()), dtype=torch.float64)
    for step in range(800):
        _, slope = quantile_huber(quantiles, target, kappa=0.01)
        quantiles -= 5 * 0.993**step * slope
    np.testing.assert_allclose(quantiles, distribution.ppf(tau), rtol=0, atol=0.02)
    huber = torch.full((count,), float(sample.mean()), dtype=torch.float64)
    for _ in range(60):  # κ = 1000 is the expectile's loss: its middle is the mean
        _, slope = quantile_huber(huber, target, kappa=1000.0)
        huber -= 1000 * slope
    assert huber[count // 2] == pytest.approx(distribution.mean(), abs=0.02)
