"""Distances, neighbours and modes, on samples whose figures are known."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from generative.data.small import RING_STD, ring, ring_means
from generative.metrics.distances import frechet_distance, gaussian_frechet_distance, squared_mmd
from generative.metrics.modes import mode_coverage
from generative.metrics.neighbours import _distances, nearest_neighbours, precision_recall


def normal(*shape, seed=0):
    return torch.as_tensor(np.random.default_rng(seed).standard_normal(shape))


def test_G_GAN_06_modes_of_the_data_themselves():
    data = ring(limit=20_000)
    found = mode_coverage(data.x, torch.as_tensor(ring_means()), RING_STD)
    assert found.covered == 8
    assert found.high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.003)  # Rayleigh's
    near = torch.bincount(data.labels, minlength=8) * found.high_quality
    assert found.counts.double().numpy() == pytest.approx(near.numpy(), rel=0.02)


def test_G_GAN_06_a_mode_needs_twenty_samples_within_three_deviations():
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    samples = torch.cat(
        [
            torch.tensor([[0.299, 0.0]]).expand(20, 2),  # covered
            torch.tensor([[10.0, -0.299]]).expand(19, 2),  # one too few
            torch.tensor([[0.0, 10.301]]).expand(50, 2),  # too far
            torch.tensor([[5.0, 5.0]]).expand(11, 2),  # nowhere
        ]
    )
    found = mode_coverage(samples, centres, 0.1)
    assert found.covered == 1
    assert found.high_quality == pytest.approx(0.39)
    assert found.counts.tolist() == [20, 19, 0]
    assert mode_coverage(samples, centres, 0.1, minimum=19).covered == 2
    assert mode_coverage(samples, centres, 0.1, radius=3.2).covered == 2


def test_G_VAE_11_frechet_distance_of_gaussians_in_one_dimension():
    """(μ₁ − μ₂)² + (σ₁ − σ₂)²."""
    one = torch.tensor([1.0]), torch.tensor([[9.0]])
    other = torch.tensor([-1.0]), torch.tensor([[0.25]])
    assert gaussian_frechet_distance(*one, *other) == pytest.approx(2.0**2 + 2.5**2)
    assert gaussian_frechet_distance(*one, *one) == 0.0


def test_G_VAE_11_frechet_distance_of_gaussians_that_do_not_commute():
    a, b = normal(5, 5, seed=1), normal(5, 5, seed=2)
    c1, c2, m1, m2 = a @ a.T, b @ b.T, normal(5, seed=3), normal(5, seed=4)
    root = sqrtm((c1 @ c2).numpy())
    expected = ((m1 - m2) ** 2).sum().item() + np.trace((c1 + c2).numpy() - 2 * root.real)
    assert gaussian_frechet_distance(m1, c1, m2, c2) == pytest.approx(expected, rel=1e-9)
    assert gaussian_frechet_distance(m2, c2, m1, c1) == pytest.approx(expected, rel=1e-9)


def test_G_VAE_11_frechet_distance_where_features_are_fewer_than_they_seem():
    """Covariances without an inverse: rank 1 in 3 dimensions, σ = 2 and 5 along one line."""
    line = torch.tensor([0.6, 0.0, 0.8])
    c = torch.outer(line, line)
    zero = torch.zeros(3)
    assert gaussian_frechet_distance(zero, 4 * c, zero, 25 * c) == pytest.approx(9.0, rel=1e-6)


def test_G_VAE_11_frechet_distance_of_samples():
    x = normal(4000, 3)
    assert frechet_distance(x, x) == pytest.approx(0.0, abs=1e-9)
    shifted = x * 2.0 + torch.tensor([1.0, 0.0, 0.0])
    mean, c = x.mean(0), x.T.cov()
    expected = (mean + torch.tensor([1.0, 0, 0])).square().sum() + c.trace()  # (2 − 1)² C
    assert frechet_distance(x, shifted) == pytest.approx(expected.item(), rel=1e-6)


def gaussian_kernel_mean(distance, variance, bandwidth, dims):
    """E exp(−‖a − b‖²/2h²) of Gaussians with variances adding up to `variance`, means apart."""
    total = bandwidth**2 + variance
    return (bandwidth**2 / total) ** (dims / 2) * math.exp(-(distance**2) / (2 * total))


def test_G_VAE_11_mmd_of_two_gaussians_in_closed_form():
    x, y = normal(4000, 2), normal(3000, 2, seed=1) * 0.5 + torch.tensor([1.0, 0.0])
    expected = np.mean(
        [
            gaussian_kernel_mean(0.0, 2.0, h, 2)
            + gaussian_kernel_mean(0.0, 0.5, h, 2)
            - 2 * gaussian_kernel_mean(1.0, 1.25, h, 2)
            for h in (0.5, 2.0)
        ]
    )
    assert squared_mmd(x, y, [0.5, 2.0]) == pytest.approx(expected, rel=0.05)


def test_G_VAE_11_mmd_is_the_sum_over_pairs_of_different_rows():
    x, y = normal(5, 2), normal(4, 2, seed=1)

    def k(a, b):
        return np.mean([math.exp(-0.5 * ((a - b) ** 2).sum() / h**2) for h in (1.0, 3.0)])

    expected = np.mean([k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    expected += np.mean([k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    expected -= 2 * np.mean([k(a, b) for a in x for b in y])
    assert squared_mmd(x, y, [1.0, 3.0]) == pytest.approx(expected, abs=1e-12)


def test_G_VAE_11_mmd_of_samples_of_one_distribution_is_zero_and_of_others_is_not():
    pairs = [(normal(500, 4, seed=2 * s), normal(500, 4, seed=2 * s + 1)) for s in range(8)]
    found = [squared_mmd(*pair) for pair in pairs]
    assert abs(np.mean(found)) < 0.001
    assert min(found) < 0.0 < max(found)  # unbiased: around zero, not above it
    x = normal(500, 4)
    assert abs(squared_mmd(x, x)) < 0.005
    assert squared_mmd(x, 1.3 * normal(500, 4, seed=1)) > 0.005


def test_G_VAE_11_precision_and_recall_by_hand():
    """On a line with k = 1: data 0, 1, 2, 10 have balls of radius 1, 1, 1 and 8."""
    data = torch.tensor([[0.0], [1.0], [2.0], [10.0]])
    samples = torch.tensor([[0.5], [2.6], [-1.5], [19.0]])  # radii 2, 2.1, 2, 16.4
    found = precision_recall(data, samples, k=1)
    assert found.precision == 0.5  # 0.5 and 2.6; −1.5 and 19 lie outside of all balls
    assert found.recall == 1.0  # 10 lies within 19's


def test_G_VAE_11_precision_falls_with_quality_and_recall_with_variety():
    data, same = normal(1000, 2), normal(1000, 2, seed=1)
    usual = precision_recall(data, same)
    assert min(usual) > 0.9
    noisy = precision_recall(data, 3.0 * same)
    assert noisy.precision < 0.7
    assert noisy.recall > 0.9
    timid = precision_recall(data, 0.2 * same)
    assert timid.precision > 0.95
    assert timid.recall < 0.4
    assert precision_recall(data, same + 50.0) == (0.0, 0.0)


def test_G_GAN_10_copies_of_the_data_are_found_at_distance_zero():
    data = torch.randint(0, 256, (3000, 1, 4, 4), dtype=torch.uint8)
    samples = torch.stack([data[2500] / 255, data[7] / 255 + 0.01])
    distance, row = nearest_neighbours(samples, data)
    assert row.tolist() == [2500, 7]
    assert distance.tolist() == pytest.approx([0.0, 0.04], abs=1e-6)


def test_G_GAN_10_nearest_neighbours_are_those_of_all_pairs():
    samples, data = normal(1500, 3), normal(2500, 3, seed=1)
    distance, row = nearest_neighbours(samples, data)
    squared = ((samples[:, None] - data) ** 2).sum(-1).numpy()
    assert (row.numpy() == squared.argmin(1)).all()
    assert distance.numpy() == pytest.approx(np.sqrt(squared.min(1)))


def test_distances_are_those_of_differences_and_equal_rows_have_none():
    x = torch.rand(60, 3072, generator=torch.Generator().manual_seed(0))
    y = torch.cat([x[:20], x[20:40] + 1e-4, torch.rand(5, 3072)])
    found = _distances(x, y)
    differences = (x[:, None].double() - y.double()).square().sum(-1).sqrt()
    assert found.numpy() == pytest.approx(differences.numpy(), rel=1e-6, abs=1e-7)
    assert (found[range(20), range(20)] == 0.0).all()
    copies = precision_recall(x[:40].repeat(5, 1), x[20:].repeat(5, 1))  # no neighbour is another
    assert copies == (0.5, 0.5)


def test_errors_name_what_is_wrong():
    with pytest.raises(ValueError, match=r"\[3, 2\] and \[3, 4\]: expected \[N, D\] and \[M, D\]"):
        frechet_distance(torch.zeros(3, 2), torch.zeros(3, 4))
    with pytest.raises(ValueError, match="rows hold NaN or infinity"):
        frechet_distance(torch.rand(5, 2), torch.full((5, 2), torch.nan))
    with pytest.raises(ValueError, match="at least 2 rows"):
        squared_mmd(torch.zeros(1, 2), torch.zeros(5, 2))
    with pytest.raises(ValueError, match="rows are equal: give bandwidths"):
        squared_mmd(torch.zeros(5, 2), torch.ones(5, 2))
    with pytest.raises(ValueError, match="3 and 9 rows have no 3 neighbours each"):
        precision_recall(torch.zeros(3, 2), torch.zeros(9, 2))
