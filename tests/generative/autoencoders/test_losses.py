"""Autoencoders' losses: torch.distributions, closed forms, and an exact aggregate posterior."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Normal, kl_divergence

from generative.autoencoders import total_correlation
from generative.autoencoders.losses import (
    bernoulli_nll,
    gaussian_kl,
    gaussian_nll,
    reparameterize,
    squared_distance,
    standard_normal_kl,
)
from generative.autoencoders.total_correlation import (
    log_importance_weights,
    total_correlation_decomposition,
)


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.double)


# --- reconstruction -------------------------------------------------------------------------


def test_N_LOSS_04_cross_entropy_has_a_minus_and_no_square():
    logits, x = draw(5, 2, 3), draw(5, 2, 3, seed=1).sigmoid()
    o, t = 1.0 / (1.0 + np.exp(-logits.numpy())), x.numpy()
    expected = -(t * np.log(o) + (1.0 - t) * np.log(1.0 - o))
    ours = bernoulli_nll(logits, x)
    np.testing.assert_allclose(ours, expected.sum((1, 2)), rtol=1e-12)
    squared = (t * np.log(o) + (1.0 - t) * np.log(1.0 - o)) ** 2
    assert (np.abs(ours.numpy() - squared.sum((1, 2))) > 0.1).any()
    binary = (x > 0.5).double()
    torch.testing.assert_close(
        bernoulli_nll(logits, binary), -Bernoulli(logits=logits).log_prob(binary).sum((1, 2))
    )


@pytest.mark.parametrize(
    ("logit", "target", "loss"),
    [(1e3, 0.0, 1e3), (1e4, 0.0, 1e4), (1e4, 1.0, 0.0), (-1e4, 1.0, 1e4), (-1e4, 0.0, 0.0)],
)
def test_N_LOSS_08_cross_entropy_from_logits_is_exact_where_the_sigmoid_saturates(
    logit, target, loss
):
    z = torch.tensor([[logit]], requires_grad=True)
    value = bernoulli_nll(z, torch.tensor([[target]]))
    assert value.tolist() == [loss]
    value.sum().backward()
    assert z.grad.tolist() == [[float(logit > 0) - target]]


def test_N_LOSS_11_euclidean_distance_sums_over_features():
    x, y = draw(4, 3, 2), draw(4, 3, 2, seed=1)
    expected = np.linalg.norm((x - y).numpy().reshape(4, 6), axis=1) ** 2
    np.testing.assert_allclose(squared_distance(y, x), expected, rtol=1e-12)
    summed = F.mse_loss(y, x, reduction="sum") / len(x)
    torch.testing.assert_close(squared_distance(y, x).mean(), summed)


@pytest.mark.parametrize("scale", [1.0, 0.3, "learned", "each"])
def test_G_VAE_02_gaussian_likelihood_is_that_of_torch(scale):
    mean, x = draw(4, 3, 2), draw(4, 3, 2, seed=1)
    if isinstance(scale, float):
        log_scale, sigma = math.log(scale), scale
    else:
        log_scale = draw(*([3, 2] if scale == "each" else []), seed=2).requires_grad_()
        sigma = log_scale.exp()
    expected = -Normal(mean, sigma).log_prob(x).sum((1, 2))
    torch.testing.assert_close(gaussian_nll(mean, x, log_scale), expected, rtol=1e-12, atol=0)


def test_G_VAE_02_the_best_scale_is_the_root_mean_square_error():
    mean, x = draw(50, 4), draw(50, 4, seed=1)
    log_scale = (mean - x).square().mean().sqrt().log().requires_grad_()
    gaussian_nll(mean, x, log_scale).mean().backward()
    assert abs(log_scale.grad) < 1e-12


# --- posteriors -----------------------------------------------------------------------------


def test_G_VAE_03_pathwise_gradients_are_those_of_the_second_moment():
    mean = torch.tensor([1.5, -0.5], dtype=torch.double).expand(400_000, 2).clone()
    std = torch.tensor([0.5, 2.0], dtype=torch.double)
    logvar = (2.0 * std.log()).expand(400_000, 2).clone()
    mean.requires_grad_()
    logvar.requires_grad_()
    torch.manual_seed(0)
    z = reparameterize(mean, logvar)
    assert z.shape == (400_000, 2)
    z.square().sum().backward()
    by_mean = mean.grad.mean(0)  # d E[z²] / dμ = 2μ
    by_std = logvar.grad.mean(0) * 2.0 / std  # d log σ² = 2 dσ/σ; d E[z²] / dσ = 2σ
    np.testing.assert_allclose(by_mean, [3.0, -1.0], atol=0.03)
    np.testing.assert_allclose(by_std, [1.0, 4.0], atol=0.05)


def test_G_VAE_03_04_sigma_is_the_standard_deviation():
    torch.manual_seed(0)
    logvar = torch.full((200_000, 1), math.log(4.0))
    z = reparameterize(torch.ones(200_000, 1), logvar)
    assert abs(z.mean() - 1.0) < 0.02
    assert abs(z.std() - 2.0) < 0.02


def test_G_VAE_05_divergence_of_gaussians_is_that_of_torch():
    mean, logvar, other, other_logvar = (draw(6, 3, seed=s) for s in range(4))
    p, q = Normal(mean, (0.5 * logvar).exp()), Normal(other, (0.5 * other_logvar).exp())
    ours = gaussian_kl(mean, logvar, other, other_logvar)
    torch.testing.assert_close(ours, kl_divergence(p, q).sum(-1), rtol=1e-12, atol=0)
    assert not torch.allclose(ours, kl_divergence(q, p).sum(-1), rtol=0.01)


def test_G_VAE_06_divergence_from_the_standard_normal():
    mean, logvar = draw(6, 3), draw(6, 3, seed=1)
    zero = torch.zeros_like(mean)
    p, q = Normal(mean, (0.5 * logvar).exp()), Normal(zero, torch.ones_like(zero))
    ours = standard_normal_kl(mean, logvar)
    torch.testing.assert_close(ours, kl_divergence(p, q).sum(-1), rtol=1e-12, atol=0)
    torch.testing.assert_close(ours, gaussian_kl(mean, logvar, zero, zero), rtol=1e-12, atol=0)
    assert standard_normal_kl(zero, zero).tolist() == [0.0] * 6


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_losses_of_half_precision_are_computed_in_float32(dtype):
    x = torch.rand(4, 500)
    half, logvar = (torch.randn(4, 500).to(dtype) for _ in range(2))
    for loss in (bernoulli_nll, squared_distance, gaussian_nll):
        assert loss(half, x).dtype == torch.float32
        torch.testing.assert_close(loss(half, x), loss(half.float(), x))
    assert standard_normal_kl(half, logvar).dtype == torch.float32
    torch.testing.assert_close(
        standard_normal_kl(half, logvar), standard_normal_kl(half.float(), logvar.float())
    )


def test_the_decomposition_is_computed_in_float32_under_autocast():
    z, mean, logvar = (draw(32, 5, seed=s).float() for s in range(3))
    plain = total_correlation_decomposition(z, mean, logvar, dataset_size=100)
    with torch.autocast("cpu", torch.bfloat16):
        inside = total_correlation_decomposition(z, mean, logvar, dataset_size=100)
    assert plain == inside


# --- the aggregate posterior ----------------------------------------------------------------

ROWS, LATENTS = 2048, 4


def small_data(logvar=-1.5):
    """Posteriors `[N, D]` of a data set, correlated across latents, and one draw from each."""
    mix = torch.eye(LATENTS, dtype=torch.double)
    mix[1, 0], mix[2, 1], mix[3, 2] = 0.9, -0.9, 0.9
    mean = draw(ROWS, LATENTS) @ mix.T
    logvar = 0.3 * draw(ROWS, LATENTS, seed=1) + logvar
    return mean + (0.5 * logvar).exp() * draw(ROWS, LATENTS, seed=2), mean, logvar


def exact_terms(z, mean, logvar, rows=256):
    """The three terms `[B]` of draws z, where q(z) = 1/N Σ_j q(z | x_j) is summed over all rows."""
    terms = []
    for i in range(0, len(z), rows):
        here = z[i : i + rows]  # [b, D]
        pairs = Normal(mean, (0.5 * logvar).exp()).log_prob(here.unsqueeze(1))  # [b, N, D]
        joint = torch.log(pairs.sum(-1).exp().mean(1))
        marginals = torch.log(pairs.exp().mean(1)).sum(-1)
        own = pairs[range(len(here)), range(i, i + len(here))].sum(-1)
        prior = Normal(0.0, 1.0).log_prob(here).sum(-1)
        terms.append(torch.stack([own - joint, joint - marginals, marginals - prior]))
    return torch.cat(terms, 1).mean(1)


def estimated_terms(z, mean, logvar, *, batch=512, **options):
    """The estimates of the three terms, averaged over the batches of the data."""
    batches = zip(z.split(batch), mean.split(batch), logvar.split(batch), strict=True)
    terms = [
        torch.stack(total_correlation_decomposition(*b, dataset_size=len(z), **options))
        for b in batches
    ]
    return torch.stack(terms).mean(0)


@pytest.mark.parametrize(("logvar", "tolerance"), [(-1.5, 0.06), (-5.0, 0.1)])
def test_G_VAE_09_stratified_estimates_are_near_the_exact_terms(logvar, tolerance):
    data = small_data(logvar)
    exact = exact_terms(*data)
    assert exact[0] > 3.5
    assert exact[1] > 0.5
    estimate = estimated_terms(*data)
    np.testing.assert_allclose(estimate, exact, atol=tolerance)
    coarse = estimated_terms(*data, batch=64)  # larger batches are better
    assert ((estimate - exact).abs() < (coarse - exact).abs()).all()


def column_weights(batch, dataset_size, estimator, like):
    """The wrong weights of public code: columns are filled where the diagonals should be."""
    m = batch - 1
    weights = torch.full_like(like[:, :1].expand(batch, batch), 1.0 / m)
    weights[:, 0] = 1.0 / dataset_size
    weights[:, 1] = (dataset_size - m) / (dataset_size * m)
    weights[m - 1, 0] = (dataset_size - m) / (dataset_size * m)
    return weights.log()


def test_G_VAE_09_wrong_weights_are_caught_and_their_sum_would_not_catch_them(monkeypatch):
    data = small_data(-5.0)
    exact, right = exact_terms(*data), estimated_terms(*data)
    monkeypatch.setattr(total_correlation, "log_importance_weights", column_weights)
    wrong = estimated_terms(*data)
    assert wrong[0] < exact[0] - 1.0
    assert wrong[1] > exact[1] + 1.0
    torch.testing.assert_close(wrong.sum(), right.sum())


def test_G_VAE_09_stratified_weights_estimate_the_density_without_bias():
    """The mean of Σ_j W_ij q_j over all batches that begin with row i is 1/N Σ_j q_j."""
    density = draw(5).exp()  # q(z | x_j) of one z, for each of N = 5 rows
    for batch in (2, 3, 4, 5):
        weights = log_importance_weights(batch, 5, "stratified", density[:batch, None]).exp()
        torch.testing.assert_close(weights.sum(1), torch.ones(batch, dtype=torch.double))
        for i in range(5):
            others = itertools.permutations([j for j in range(5) if j != i], batch - 1)
            estimates = [weights[0] @ density[[i, *rest]] for rest in others]
            torch.testing.assert_close(torch.stack(estimates).mean(), density.mean())
        shifted = torch.stack([row.roll(-k) for k, row in enumerate(weights)])
        torch.testing.assert_close(shifted, weights[:1].expand_as(weights))  # each row alike


def test_G_VAE_09_weighted_estimates_of_all_rows_are_exact_but_for_constants():
    data = [x[:300] for x in small_data()]
    terms = total_correlation_decomposition(*data, dataset_size=300, estimator="weighted")
    log_n = math.log(300)
    offsets = log_n * torch.tensor([1.0, LATENTS - 1.0, -LATENTS], dtype=torch.double)
    torch.testing.assert_close(torch.stack(terms) - offsets, exact_terms(*data))


@pytest.mark.parametrize("estimator", ["stratified", "weighted"])
def test_G_VAE_08_the_three_terms_sum_to_the_divergence(estimator):
    data = small_data()
    terms = estimated_terms(*data, estimator=estimator)
    z, mean, logvar = data
    sampled = Normal(mean, (0.5 * logvar).exp()).log_prob(z) - Normal(0.0, 1.0).log_prob(z)
    torch.testing.assert_close(terms.sum(), sampled.sum(-1).mean())
    closed = standard_normal_kl(mean, logvar).mean()
    assert abs(terms.sum() - closed) < 4.0 * sampled.sum(-1).std() / math.sqrt(ROWS)


def test_G_VAE_08_gaussian_aggregate_has_the_closed_form():
    """z ~ N(0, [[1, ρ], [ρ, 1]]): TC = −½ ln(1 − ρ²), marginals are the prior's."""
    rho, noise, rows = 0.6, 0.3, 1024
    covariance = torch.tensor([[1.0 - noise, rho], [rho, 1.0 - noise]], dtype=torch.double)
    means = []
    for seed in range(6):
        white = draw(rows, 2, seed=seed)
        white = torch.linalg.solve_triangular(  # the sample's moments made exact
            torch.linalg.cholesky(torch.cov((white - white.mean(0)).T)).T,
            white - white.mean(0),
            upper=True,
            left=False,
        )
        mean = white @ torch.linalg.cholesky(covariance).T
        logvar = torch.full_like(mean, math.log(noise))
        z = mean + math.sqrt(noise) * draw(rows, 2, seed=seed + 10)
        means.append(
            torch.stack(total_correlation_decomposition(z, mean, logvar, dataset_size=rows))
        )
    expected = [0.5 * math.log((1.0 - rho**2) / noise**2), -0.5 * math.log(1.0 - rho**2), 0.0]
    assert expected[1] == pytest.approx(0.223144, abs=1e-6)
    np.testing.assert_allclose(torch.stack(means).mean(0), expected, atol=0.025)


def test_G_VAE_09_gradients_reach_z_mean_and_logvar():
    z, mean, logvar = (x[:6].clone().requires_grad_() for x in small_data())
    for term in range(3):
        assert torch.autograd.gradcheck(
            lambda *a, term=term: total_correlation_decomposition(*a, dataset_size=40)[term],
            (z, mean, logvar),
        )


def test_batches_that_cannot_stand_for_the_data_are_refused():
    z = torch.zeros(3, 2)
    with pytest.raises(ValueError, match="batch of 3 rows cannot stand for 2"):
        total_correlation_decomposition(z, z, z, dataset_size=2)
    with pytest.raises(ValueError, match="'exact': expected 'stratified' or 'weighted'"):
        total_correlation_decomposition(z, z, z, dataset_size=9, estimator="exact")


def test_a_row_alone_tells_nothing_about_itself():
    z, mean, logvar = (x[:1] for x in small_data())
    terms = total_correlation_decomposition(z, mean, logvar, dataset_size=9)
    assert terms[:2] == (0.0, 0.0)
    sampled = Normal(mean, (0.5 * logvar).exp()).log_prob(z) - Normal(0.0, 1.0).log_prob(z)
    torch.testing.assert_close(terms[2], sampled.sum())
