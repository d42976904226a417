"""VAEs: exact likelihoods, reductions to one another, and what each weight does."""

import math

import numpy as np
import pytest
import torch
from autoencoding import SMALL, build, correlated, train
from sklearn.decomposition import FactorAnalysis
from torch.distributions import Bernoulli, MultivariateNormal, Normal, kl_divergence

from generative.autoencoders.losses import (
    gaussian_kl,
    gaussian_nll,
    reparameterize,
    standard_normal_kl,
)
from generative.autoencoders.total_correlation import total_correlation_decomposition
from generative.autoencoders.variational import VAE, BetaTCVAE, BetaVAE
from generative.model import Batch
from nets.process.seeding import seeded

# --- VAE: the linear Gaussian model, whose likelihood is known -----------------------------------

SIGMA = 0.7


def linear_gaussian():
    """W `[5, 2]` with orthogonal columns and b `[5]`: x = Wz + b + σε has a diagonal posterior."""
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.normal(size=(5, 2)))
    return torch.tensor(basis * [2.0, 1.0]), torch.tensor(rng.normal(size=5))


def marginal(weight, bias):
    covariance = weight @ weight.T + SIGMA**2 * torch.eye(5, dtype=torch.double)
    return MultivariateNormal(bias, covariance)


def exact_posterior(weight, bias, x):
    """Mean and log-variance `[B, 2]` of p(z | x)."""
    precision = 1.0 + weight.square().sum(0) / SIGMA**2  # [2]
    mean = (x - bias) @ weight / SIGMA**2 / precision
    return mean, -precision.log().expand_as(mean)


def test_G_VAE_01_variational_identity_of_the_linear_gaussian_model():
    weight, bias = linear_gaussian()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 5, generator=generator, dtype=torch.double)
    mean, logvar = torch.randn(2, 4, 2, generator=generator, dtype=torch.double)
    nodes, weights = map(torch.tensor, np.polynomial.hermite_e.hermegauss(3))  # exact for z²
    expected_nll = torch.zeros(4, dtype=torch.double)
    for i, j in np.ndindex(3, 3):
        z = mean + (0.5 * logvar).exp() * torch.stack([nodes[i], nodes[j]])
        nll = gaussian_nll(z @ weight.T + bias, x, math.log(SIGMA))
        expected_nll += weights[i] * weights[j] / math.tau * nll
    gap = gaussian_kl(mean, logvar, *exact_posterior(weight, bias, x))
    evidence = marginal(weight, bias).log_prob(x)
    elbo = -expected_nll - standard_normal_kl(mean, logvar)
    torch.testing.assert_close(gap, evidence - elbo, rtol=1e-9, atol=1e-9)
    assert (gap > 0.01).all()


@pytest.mark.slow
def test_G_VAE_02_the_elbo_approaches_the_exact_log_likelihood_from_below():
    weight, bias = linear_gaussian()
    with seeded(0):
        z = torch.randn(8192, 2, dtype=torch.double)
        x = z @ weight.T + bias + SIGMA * torch.randn(8192, 5, dtype=torch.double)
    evidence = marginal(weight, bias).log_prob(x).mean()
    model = build(VAE, (5,), hidden=(), latent=2)

    def elbo():
        with seeded(1):
            return model.validate(Batch(x.float()))["elbo"]

    assert elbo() < evidence - 1.0
    train(model, x.float(), 1500, learning_rate=1e-2, batch_size=128)
    train(model, x.float(), 500, learning_rate=1e-3, batch_size=512)
    assert evidence - 0.05 < elbo() < evidence + 0.01
    np.testing.assert_allclose(model.log_scale.detach().exp(), SIGMA, rtol=0.05)


@pytest.mark.slow
def test_G_VAE_02_a_linear_vae_of_vectors_is_factor_analysis():
    rng = np.random.default_rng(0)
    noise = np.array([0.4, 0.5, 0.6, 0.7, 0.8, 0.9])  # of each dimension
    loadings = np.array([[1.0, 1.0, 1.0, 0.0, 0.0, 0.5], [0.0, 0.5, -1.0, 1.0, 1.0, 1.0]])
    x = rng.normal(size=(4096, 2)) @ loadings + noise * rng.normal(size=(4096, 6))
    fitted = FactorAnalysis(2).fit(x)
    best = fitted.score(x)  # log-likelihood
    model = build(VAE, (6,), hidden=(), latent=2)
    data = torch.tensor(x, dtype=torch.float32)
    train(model, data, 600, learning_rate=2e-2, batch_size=256)
    train(model, data, 400, learning_rate=2e-3, batch_size=1024)
    with seeded(0):
        elbo = torch.stack([model.validate(Batch(data))["elbo"] for _ in range(20)]).mean()
    assert best - 0.05 < elbo < best + 0.01
    np.testing.assert_allclose(
        model.log_scale.detach().exp(), fitted.noise_variance_**0.5, rtol=0.1
    )


@pytest.mark.slow
def test_G_VAE_02_a_vae_of_digits_beats_factor_analysis(digits):
    """Held-out, on pixels made continuous by uniform noise; the likelihood of FA is exact."""
    rng = np.random.default_rng(0)
    pixels = digits.flatten(1).numpy() * 16.0
    x = rng.permutation((pixels + rng.random(pixels.shape)) / 17.0)
    baseline = FactorAnalysis(10).fit(x[:1500]).score(x[1500:])  # 45 nats
    data, held_out = torch.tensor(x, dtype=torch.float32).split([1500, 297])
    model = build(VAE, (64,), rows=1500, hidden=(256, 256), latent=10, scale=0.2)
    train(model, data, 800, learning_rate=2e-3, batch_size=128)
    train(model, data, 200, learning_rate=3e-4, batch_size=128)
    with seeded(0):
        assert model.validate(Batch(held_out))["elbo"] > baseline + 2.0


def test_G_VAE_02_loss_sums_over_dimensions_and_averages_over_the_batch(digits):
    model = build(VAE, (1, 8, 8), **SMALL)
    x = digits[:16]
    with seeded(7):
        loss = model.loss(Batch(x)).value
    mean, logvar = model.posterior(x)
    q = Normal(mean, (0.5 * logvar).exp())
    with seeded(7):
        z = q.rsample()
    likelihood = Bernoulli(logits=model.decoder(z), validate_args=False).log_prob(x)
    kl = kl_divergence(q, Normal(0.0, 1.0))
    torch.testing.assert_close(loss, -likelihood.sum((1, 2, 3)).mean() + kl.sum(1).mean())
    with seeded(7):
        measured = model.validate(Batch(x))
    torch.testing.assert_close(measured["loss"], loss.detach())
    torch.testing.assert_close(measured["elbo"], -loss.detach())
    torch.testing.assert_close(measured["kl"], kl.sum(1).mean().detach())


@pytest.mark.parametrize("huge", [-1e6, 1e6])
def test_G_VAE_04_extreme_log_variances_leave_loss_and_gradient_finite(huge):
    model = build(BetaTCVAE, (6,), **SMALL)
    with torch.no_grad():
        model.encoder[1].bias[3:] = huge
    _, logvar = model.posterior(correlated(8))
    assert (logvar == math.copysign(20.0, huge)).all()
    loss = model.loss(Batch(correlated(8))).value
    loss.backward()
    assert loss.isfinite()
    assert all(w.grad.isfinite().all() for w in model.parameters())


# --- beta-VAE and beta-TCVAE ---------------------------------------------------------------------


def test_G_VAE_07_with_a_weight_of_one_it_is_a_vae_bit_for_bit(digits):
    vae, beta_vae, other = (
        train(build(model, (1, 8, 8), **SMALL, **settings), digits, 20)
        for model, settings in ((VAE, {}), (BetaVAE, {"beta": 1.0}), (BetaVAE, {"beta": 1.001}))
    )
    weights, same, different = (m.state_dict() for m in (vae, beta_vae, other))
    assert all(torch.equal(weights[key], same[key]) for key in weights)
    assert not all(torch.equal(weights[key], different[key]) for key in weights)


def test_G_VAE_07_the_loss_weighs_the_divergence_and_the_elbo_does_not(digits):
    model = build(BetaVAE, (1, 8, 8), **SMALL, beta=4.0)
    with seeded(0):
        measured = model.validate(Batch(digits[:64]))
    reconstruction, kl = measured["reconstruction"], measured["kl"]
    torch.testing.assert_close(measured["loss"], reconstruction + 4.0 * kl)
    torch.testing.assert_close(measured["elbo"], -reconstruction - kl)
    with seeded(0):
        torch.testing.assert_close(model.loss(Batch(digits[:64])).value.detach(), measured["loss"])


@pytest.mark.slow
def test_G_VAE_07_divergence_falls_with_its_weight(digits):
    kl = []
    for beta in (0.05, 0.2, 1.0):
        model = train(build(BetaVAE, (1, 8, 8), hidden=(64,), beta=beta), digits, 300)
        with seeded(0):
            measured = model.validate(Batch(digits))
        kl.append(float(measured["kl"]))
    assert kl[0] > 1.3 * kl[1] > 1.3 * 1.3 * kl[2] > 1.0


def test_G_VAE_09_with_weights_of_one_it_is_a_vae_in_expectation():
    """The three terms sum to log q(z | x) − log p(z), whose mean over draws is the KL."""
    model = build(BetaTCVAE, (6,), **SMALL, beta=1.0)
    vae = build(VAE, (6,), **SMALL)
    batch = Batch(correlated(64))
    with seeded(0), torch.no_grad():
        ours, theirs = (
            torch.stack([m.loss(batch).value for _ in range(400)]) for m in (model, vae)
        )
    error = math.hypot(ours.std(), theirs.std()) / math.sqrt(400)
    assert abs(ours.mean() - theirs.mean()) < 3.0 * error < 0.1


def test_G_VAE_09_each_term_has_its_own_weight():
    batch = Batch(correlated(64))
    for name, term in (
        ("alpha", "mutual_information"),
        ("beta", "total_correlation"),
        ("gamma", "dimension_wise_kl"),
    ):
        weights = {"alpha": 1.0, "beta": 1.0, "gamma": 1.0}
        measured = []
        for weight in (1.0, 3.0):
            model = build(BetaTCVAE, (6,), **SMALL, **(weights | {name: weight}))
            with seeded(0):
                measured.append(model.validate(batch))
        once, thrice = measured
        torch.testing.assert_close(
            thrice["loss"] - once["loss"], 2.0 * once[term], rtol=1e-3, atol=1e-5
        )


@pytest.mark.parametrize("estimator", ["stratified", "weighted"])
def test_G_VAE_09_a_batch_stands_for_all_rows_of_the_data(estimator):
    """Its terms are those of N = 1000 rows, of which it has 8, in training and in evaluation."""
    settings = {"alpha": 2.0, "beta": 3.0, "gamma": 5.0, "estimator": estimator}
    model = build(BetaTCVAE, (6,), rows=1000, **SMALL, **settings)
    batch = Batch(correlated(8))
    with seeded(0):
        mean, logvar = model.posterior(batch.x)
        z = reparameterize(mean, logvar)
    terms = {
        rows: torch.stack(
            total_correlation_decomposition(z, mean, logvar, dataset_size=rows, estimator=estimator)
        )
        for rows in (1000, 8)
    }
    assert (terms[1000] - terms[8]).abs().min() > 0.01  # not to be taken for rounding
    expected = model.reconstruction_loss(z, batch.x).mean()
    expected = expected + terms[1000] @ torch.tensor([2.0, 3.0, 5.0])
    with seeded(0):
        torch.testing.assert_close(model.loss(batch).value, expected)
    with seeded(0):
        torch.testing.assert_close(model.validate(batch)["loss"], expected.detach())


@pytest.mark.parametrize("rows", [1, 2, 65])
def test_G_VAE_09_held_out_batches_may_have_any_size(rows):
    model = build(BetaTCVAE, (6,), rows=64, **SMALL)
    assert all(value.isfinite() for value in model.validate(Batch(correlated(rows))).values())


@pytest.mark.slow
def test_G_VAE_09_weighing_total_correlation_lowers_it(digits):
    measured = []
    for beta in (1.0, 8.0):
        settings = {"hidden": (32,), "latent": 6, "beta": beta}
        model = build(BetaTCVAE, (1, 8, 8), rows=len(digits), **settings)
        train(model, digits, 300, learning_rate=2e-3)
        with seeded(0):
            measured.append(model.validate(Batch(digits[:1024])))
    plain, weighted = measured
    assert weighted["total_correlation"] < 0.6 * plain["total_correlation"]
    assert weighted["mutual_information"] > 0.5 * plain["mutual_information"]


@pytest.mark.parametrize("start", [-25.0, 25.0, 1e3])
def test_a_variance_beyond_its_limits_comes_back(start):
    """The value is that of the limit, and so is its gradient, which is not 0."""
    model = build(VAE, (6,), **SMALL)
    bias = model.encoder[1].bias
    with torch.no_grad():
        model.encoder[1].weight[SMALL["latent"] :] = 0.0
        bias[SMALL["latent"] :] = start
    mean, logvar = model.posterior(correlated(8))
    limit = math.copysign(20.0, start)
    torch.testing.assert_close(logvar, torch.full_like(logvar, limit))
    model.regularizer(mean, torch.zeros_like(mean), logvar)[0].backward()
    slope = 0.5 * (math.exp(limit) - 1.0)
    torch.testing.assert_close(
        bias.grad[SMALL["latent"] :], torch.full((SMALL["latent"],), slope), rtol=1e-4, atol=0
    )


def test_latents_are_active_that_have_more_than_a_hundredth_of_a_nat():
    model = build(VAE, (6,), hidden=(8,), latent=4)
    with torch.no_grad():
        model.encoder[1].weight.zero_()
        kls = torch.tensor([0.0, 0.009, 0.011, 3.0])
        model.encoder[1].bias.copy_(torch.cat([(2 * kls).sqrt(), torch.zeros(4)]))
    measured = model.validate(Batch(correlated(8)))
    assert measured["active_latents"].item() == 0.5
    assert measured["kl"].item() == pytest.approx(kls.sum().item(), rel=1e-4)


def test_the_regulariser_warms_up():
    model = build(VAE, (6,), **SMALL, kl_warmup_steps=4)
    batch = Batch(correlated(8))
    for step in range(6):
        with seeded(0):
            loss, metrics = model.loss(batch)
        expected = metrics["reconstruction"] + min(step / 4, 1.0) * metrics["kl"]
        torch.testing.assert_close(loss.detach(), expected)
    with seeded(0):
        torch.testing.assert_close(model.validate(batch)["loss"], loss.detach())


@pytest.mark.parametrize(("kind", "beta"), [(VAE, 1.0), (BetaVAE, 4.0)])
def test_a_latent_is_not_pressed_below_its_free_nats(kind, beta):
    model = build(kind, (6,), **SMALL, free_nats=0.5)
    variances = torch.tensor([1.0, 4.0]).expand(8, 2)
    mean = torch.tensor([0.9, 2.0]).expand(8, 2).clone().requires_grad_()
    penalty, terms = model.regularizer(mean, mean, variances.log())
    kls = kl_divergence(Normal(mean, variances.sqrt()), Normal(0.0, 1.0)).mean(0)  # [D]
    assert kls[0] < 0.5 < kls[1]
    torch.testing.assert_close(penalty, beta * (0.5 + kls[1]))
    torch.testing.assert_close(terms["kl"], kls.sum().detach())
    penalty.backward()
    torch.testing.assert_close(mean.grad, beta / 8 * torch.tensor([0.0, 2.0]).expand(8, 2))
