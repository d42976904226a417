"""Likelihoods and the aggregate posterior, against models solved in closed form."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from generative.autoencoders.config import VAEConfig
from generative.autoencoders.variational import VAE
from generative.data.dataset import Dataset
from generative.metrics.aggregate import kl_decomposition
from generative.metrics.likelihood import held_out_terms, importance_log_likelihood
from nets.process.seeding import seeded


class LinearGaussian:
    """p(z) = N(0, I), p(x | z) = N(W z + b, s² I), W with orthogonal columns.

    Then p(x) = N(b, W Wᵀ + s² I), and the posterior has a diagonal covariance:
    N((WᵀW + s² I)⁻¹ Wᵀ (x − b), s² (WᵀW + s² I)⁻¹).
    """

    def __init__(self, shift=0.0, widen=1.0):
        self.w = torch.tensor([[2.0, 0.5], [2.0, -0.5], [1.0, 0.0]], dtype=torch.float64)
        self.b = torch.tensor([1.0, -1.0, 0.0], dtype=torch.float64)
        self.scale, self.shift, self.widen = 0.7, shift, widen
        self.largest = 0

    def posterior(self, x):
        precision = (self.w.T @ self.w).diag() + self.scale**2
        mean = (x - self.b) @ self.w / precision + self.shift
        return mean, (self.widen * self.scale**2 / precision).log().expand_as(mean)

    def reconstruction_loss(self, z, x):
        self.largest = max(self.largest, len(z))
        error = (x - self.b - z @ self.w.T) / self.scale
        constant = 3 * (math.log(self.scale) + 0.5 * math.log(2 * math.pi))
        return 0.5 * error.square().sum(1) + constant

    def exact(self, x):
        covariance = (self.w @ self.w.T).numpy() + self.scale**2 * np.eye(3)
        return multivariate_normal(self.b.numpy(), covariance).logpdf(x.numpy())


X = torch.as_tensor(np.random.default_rng(0).normal(0, 2, (7, 3)))


@pytest.mark.parametrize("samples", [1, 5])
def test_G_VAE_01_with_the_exact_posterior_every_sample_gives_the_likelihood(samples):
    """log p(x | z) + log p(z) − log p(z | x) = log p(x), whatever z is."""
    model = LinearGaussian()
    found = importance_log_likelihood(model, X, samples=samples)
    assert found.numpy() == pytest.approx(model.exact(X), abs=1e-9)


def test_G_VAE_02_importance_samples_close_the_gap_of_a_wrong_posterior():
    """One sample is the ELBO, KL(q ‖ p(z | x)) below on average; thousands find log p(x)."""
    model = LinearGaussian(shift=0.1, widen=1.5)
    exact = model.exact(X)
    with seeded(0):
        one = [importance_log_likelihood(model, X, samples=1).numpy() for _ in range(2000)]
        many = importance_log_likelihood(model, X, samples=20_000).numpy()
    variance = 0.7**2 / ((model.w.T @ model.w).diag().numpy() + 0.7**2)
    gap = 0.5 * (1.5 + 0.1**2 / variance - 1 - math.log(1.5)).sum()
    assert np.mean(one, axis=0) == pytest.approx(exact - gap, abs=0.1)
    assert many == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize(("samples", "pairs"), [(100, 1), (100, 30), (3, 1000), (7, 10)])
def test_importance_sampling_needs_no_more_memory_than_it_may_have(samples, pairs):
    model = LinearGaussian()
    found = importance_log_likelihood(model, X, samples=samples, pairs=pairs)
    assert found.numpy() == pytest.approx(model.exact(X), abs=1e-9)
    assert model.largest <= pairs


def test_importance_sampling_of_a_trained_kind_of_model():
    with seeded(0):
        model = VAE((1, 4, 4), VAEConfig(latent=2, hidden=(8,), encoder="mlp"), dataset_size=9)
        x = torch.rand(9, 1, 4, 4).round()
        one = torch.stack([importance_log_likelihood(model, x, samples=1) for _ in range(500)])
        many = importance_log_likelihood(model, x, samples=5000)
        elbo = [-model.loss(_batch(x)).value.item() for _ in range(500)]
    assert not many.requires_grad
    assert one.mean().item() == pytest.approx(np.mean(elbo), abs=0.05)
    assert (many > one.mean(0) - 0.01).all()


def _batch(x):
    return Dataset("x", x).batch(slice(None))


def test_held_out_terms_are_means_over_rows_however_they_are_cut():
    class Rows:
        def validate(self, batch):
            return {"sum": batch.x.sum(1).mean(), "first": batch.x[:, 0].mean()}

    data = Dataset("rows", torch.arange(20.0).view(10, 2))
    expected = {"sum": 19.0, "first": 9.0}
    for rows in (1, 3, 10, 50):
        assert held_out_terms(Rows(), data, rows=rows) == pytest.approx(expected)


def loops(z, mean, logvar):
    """The three terms, one Gaussian at a time, in float64."""
    z, mean, std = z.double().numpy(), mean.double().numpy(), (0.5 * logvar.double()).exp().numpy()

    def density(value, m, s):
        return math.exp(-0.5 * ((value - m) / s) ** 2) / (s * math.sqrt(2 * math.pi))

    terms = []
    for i in range(len(z)):
        each = [
            [density(*of) for of in zip(z[i], m, s, strict=True)]
            for m, s in zip(mean, std, strict=True)
        ]
        joint = np.mean([math.prod(row) for row in each])
        marginals = math.prod(np.mean(each, axis=0))
        prior, own = math.prod(density(value, 0, 1) for value in z[i]), math.prod(each[i])
        terms.append(np.log([own / joint, joint / marginals, marginals / prior]))
    return np.mean(terms, axis=0)


def posteriors(rows=12, dims=3):
    random = np.random.default_rng(0)
    mean, logvar = random.normal(0, 1, (rows, dims)), random.normal(-1, 0.5, (rows, dims))
    z = mean + np.exp(0.5 * logvar) * random.normal(size=(rows, dims))
    return tuple(torch.as_tensor(part, dtype=torch.float32) for part in (z, mean, logvar))


def test_G_VAE_08_each_term_of_the_exact_decomposition(monkeypatch):
    z, mean, logvar = posteriors()
    expected = loops(z, mean, logvar)
    assert kl_decomposition(z, mean, logvar) == pytest.approx(expected, abs=1e-5)
    monkeypatch.setattr("generative.metrics.aggregate.ENTRIES", 100)
    assert kl_decomposition(z, mean, logvar) == pytest.approx(expected, abs=1e-5)
    expected = loops(z[:5], mean, logvar)  # fewer draws, the same q(z)
    assert kl_decomposition(z[:5], mean, logvar) == pytest.approx(expected, abs=1e-5)


def test_G_VAE_08_total_correlation_of_a_gaussian_in_closed_form():
    """Posteriors N(μ, ½ I) around μ ~ N(0, Σ − ½ I) are together N(0, Σ): TC = −½ ln(1 − ρ²)."""
    covariance, random = np.array([[1.0, 0.6], [0.6, 1.0]]), np.random.default_rng(0)
    noise = 0.3  # of the posteriors; the means have the rest
    mean = random.multivariate_normal([0, 0], covariance - noise * np.eye(2), 4000)
    z = mean[:1500] + math.sqrt(noise) * random.normal(size=(1500, 2))
    logvar = torch.full((4000, 2), math.log(noise), dtype=torch.float64)
    found = kl_decomposition(torch.as_tensor(z), torch.as_tensor(mean), logvar)
    assert found.total_correlation == pytest.approx(0.223144, abs=0.02)  # ρ = 0.6
    entropy = 0.5 * math.log(1 - 0.6**2)  # of N(0, Σ), and of a posterior, but for a constant
    assert found.mutual_information == pytest.approx(entropy - math.log(noise), abs=0.03)
    assert found.dimension_wise_kl == pytest.approx(0.0, abs=0.02)  # marginals are N(0, 1)


def test_G_VAE_08_of_one_datum_all_is_dimension_wise():
    mean, logvar = torch.tensor([[1.0, -2.0]]), torch.zeros(1, 2)
    found = kl_decomposition(mean, mean, logvar)
    assert found[:2] == pytest.approx((0.0, 0.0), abs=1e-6)
    assert found.dimension_wise_kl == pytest.approx(0.5 * (1 + 4))  # log N(0; 0) − log N(μ; 0)


def test_errors_name_what_is_wrong():
    with pytest.raises(ValueError, match="samples is 0, pairs 1024: expected at least 1"):
        importance_log_likelihood(LinearGaussian(), X, samples=0)
