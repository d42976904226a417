"""Autoencoders: exact likelihoods, reductions to one another, devices, and learning."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import FactorAnalysis
from torch import nn
from torch.distributions import Bernoulli, MultivariateNormal, Normal, kl_divergence

from generative.autoencoder import MovingGaussian
from generative.autoencoders import (
    AAE,
    AE,
    VAE,
    AAEConfig,
    AEConfig,
    BetaTCVAE,
    BetaTCVAEConfig,
    BetaVAE,
    BetaVAEConfig,
    VAEConfig,
)
from generative.losses import gaussian_kl, gaussian_nll, standard_normal_kl
from generative.model import Batch
from nets.encoders import NatureCNN
from nets.mlp import MLP
from nets.training.seeding import seeded

MODELS = {
    AE: AEConfig,
    VAE: VAEConfig,
    BetaVAE: BetaVAEConfig,
    BetaTCVAE: BetaTCVAEConfig,
    AAE: AAEConfig,
}
SMALL = {"hidden": (16,), "channels": (4, 8), "latent": 3}
every_model = pytest.mark.parametrize("model_type", MODELS, ids=lambda model: model.name)


def build(model_type, shape, seed=0, rows=1000, modules=(), **settings):
    config = MODELS[model_type](**settings)
    with seeded(seed):
        return model_type(shape, config, dataset_size=rows, **dict(modules))


def train(model, x, steps, *, learning_rate=1e-3, batch_size=64, seed=0):
    """Let every player take `steps` gradient steps, in turns."""
    players = model.players()
    options = {"lr": learning_rate, "betas": model.config.betas, "fused": True}
    optimisers = [torch.optim.Adam(p.module.parameters(), **options) for p in players]
    with seeded(seed):
        for _ in range(steps):
            batch = Batch(x[torch.randint(len(x), (batch_size,))])
            for player, optimiser in zip(players, optimisers, strict=True):
                model.zero_grad()
                player.loss(batch).value.backward()
                optimiser.step()
    return model


@pytest.fixture(scope="module")
def digits():
    """Handwritten digits `[1797, 1, 8, 8]` in [0, 1]."""
    return torch.tensor(load_digits().data, dtype=torch.float32).view(-1, 1, 8, 8) / 16.0


def correlated(rows, seed=0):
    """Gaussian data `[N, 6]` of three strong directions and three weak ones."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    scales = np.array([3.0, 2.0, 1.5, 0.5, 0.3, 0.2])
    return torch.tensor(rng.normal(size=(rows, 6)) * scales @ turn + 1.0, dtype=torch.float32)


# --- AE ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_G_AE_01_a_linear_autoencoder_reaches_the_error_of_pca():
    x = correlated(512)
    discarded = np.linalg.eigvalsh(np.cov(x.numpy().T, bias=True))[:-3].sum()
    model = build(AE, (6,), hidden=(), latent=3)
    first = model.validate(Batch(x))["loss"]
    for rate in (3e-2, 3e-3):
        train(model, x, 400, batch_size=512, learning_rate=rate)
    error = model.validate(Batch(x))["loss"]
    assert first > 10.0 * discarded
    assert discarded * 0.9999 <= error < 1.01 * discarded


def test_G_AE_01_loss_is_the_squared_distance_of_the_reconstruction():
    x = correlated(32)
    model = build(AE, (6,), **SMALL)
    expected = (x - model.reconstruct(x)).square().sum(1).mean()
    torch.testing.assert_close(model.loss(Batch(x)).value, expected)


def test_samples_of_an_autoencoder_follow_the_latents_it_has_seen():
    z = torch.randn(30, 64, 2) @ torch.tensor([[2.0, 1.0], [0.0, 0.1]]) + torch.tensor([5.0, -3.0])
    moments = MovingGaussian(2)
    for batch in z:
        moments.update(batch)
    seen = z.flatten(0, 1).numpy()
    np.testing.assert_allclose(moments.mean, seen.mean(0), rtol=1e-4)
    np.testing.assert_allclose(moments.covariance, np.cov(seen.T, bias=True), rtol=1e-3)
    drawn = moments.sample(50_000).numpy()
    np.testing.assert_allclose(drawn.mean(0), seen.mean(0), atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(seen.T), atol=0.08)
    for _ in range(2000):  # what was seen long ago is forgotten
        moments.update(torch.full((8, 2), 7.0))
    np.testing.assert_allclose(moments.sample(100), 7.0, atol=0.05)


def test_only_training_moves_the_moments_of_the_latents():
    model = build(AE, (6,), **SMALL)
    model.eval().loss(Batch(correlated(8)))
    assert model.latents.count == 0
    model.train().loss(Batch(correlated(8)))
    model.validate(Batch(correlated(8)))
    assert model.latents.count == 1


# --- AAE --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_G_AE_02_the_aggregate_of_latents_becomes_the_prior():
    x = correlated(4096)
    model = build(AAE, (6,), hidden=(32,), discriminator_hidden=(32,), latent=2)
    untrained = model.encode(x)
    assert (untrained.var(0) - 1.0).abs().max() > 0.3
    train(model, x, 1000, batch_size=128)
    z = model.encode(x)
    assert z.mean(0).abs().max() < 0.1
    assert (z.var(0) - 1.0).abs().max() < 0.2
    variance = (x - x.mean(0)).square().sum(1).mean()
    assert model.validate(Batch(x))["loss"] < 0.25 * variance


def test_G_AE_02_each_player_owns_its_part():
    model = build(AAE, (6,), **SMALL)
    owned = {p.name: {id(w) for w in p.module.parameters()} for p in model.players()}
    assert list(owned) == ["autoencoder", "discriminator", "encoder"]
    assert owned["encoder"] < owned["autoencoder"]
    assert owned["discriminator"].isdisjoint(owned["autoencoder"])
    assert set.union(*owned.values()) == {id(w) for w in model.parameters()}


def test_G_AE_02_encoder_and_discriminator_pull_in_opposite_directions():
    model = build(AAE, (6,), **SMALL)
    batch = Batch(correlated(64))
    model.discriminator_step(batch).value.backward()
    assert all(w.grad is None for w in model.encoder.parameters())

    def advantage():
        """By how much D prefers draws of the prior to latents."""
        with seeded(0), torch.no_grad():
            prior = model.judge(model.prior(4096)).mean()
        return prior - model.judge(model.encode(batch.x)).detach().mean()

    before = advantage()
    torch.optim.SGD(model.discriminator.parameters(), 0.1).step()
    trained = advantage()
    assert trained > before
    model.zero_grad()
    model.encoder_step(batch).value.backward()
    torch.optim.SGD(model.encoder.parameters(), 0.1).step()
    assert advantage() < trained


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


# --- all of them ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model_type", "encoder", "share"),
    [
        (AE, "mlp", 0.45),
        (AE, "resnet", 0.65),
        (VAE, "mlp", 0.75),
        (VAE, "conv", 0.85),
        (BetaVAE, "mlp", 0.9),
        (BetaTCVAE, "mlp", 0.85),
        (AAE, "mlp", 0.5),
    ],
)
def test_models_learn_binary_digits(model_type, encoder, share, digits):
    """Reconstructions cost less than `share` of what independent pixels of the mean image do."""
    x = (digits > 0.5).float()
    p = x.mean(0).clamp(1e-6, 1.0 - 1e-6)
    independent = -Bernoulli(p).log_prob(x).sum((1, 2, 3)).mean()  # 24.4 nats
    settings = {"encoder": encoder, "hidden": (64,), "channels": (16, 32), "latent": 8}
    if model_type in (BetaVAE, BetaTCVAE):
        settings["beta"] = 2.0
    model = build(model_type, (1, 8, 8), rows=len(x), **settings)
    train(model, x, 300, learning_rate=5e-3)
    with seeded(0):
        measured = model.validate(Batch(x[:1024]))
    assert measured["reconstruction"] < share * independent
    assert -measured.get("elbo", -measured["loss"]) < 0.95 * independent


@every_model
@pytest.mark.parametrize(
    ("encoder", "shape"),
    [("mlp", (6,)), ("mlp", (1, 5, 4)), ("conv", (1, 9, 8)), ("resnet", (3, 8, 8))],
)
def test_losses_and_gradients_run_on_the_meta_device(model_type, encoder, shape):
    with torch.device("meta"):
        model = build(model_type, shape, **SMALL, encoder=encoder)
    batch = Batch(torch.empty(4, *shape, device="meta"))
    for player in model.players():
        loss, metrics = player.loss(batch)
        gradients = torch.autograd.grad(loss, list(player.module.parameters()))
        assert {g.device.type for g in gradients} == {"meta"}
        assert not any(m.requires_grad for m in metrics.values())
    assert "loss" in model.validate(batch)


@every_model
@pytest.mark.parametrize("shape", [(6,), (1, 8, 8), (3, 16, 16)])
def test_shapes_of_codes_samples_and_reconstructions(model_type, shape):
    model = build(model_type, shape, latent=3)
    x = torch.rand(5, *shape)
    assert model.encode(x).shape == (5, 3)
    assert model.decode(torch.randn(4, 3)).shape == (4, *shape)
    assert model.reconstruct(x).shape == x.shape
    samples = model.sample(7)
    assert samples.shape == (7, *shape)
    assert not samples.requires_grad
    if len(shape) == 3:
        assert samples.min() >= 0.0
        assert samples.max() <= 1.0
    with pytest.raises(ValueError, match="not conditional"):
        model.sample(7, label=torch.zeros(7, dtype=torch.int64))


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("model_type", [VAE, BetaTCVAE])
def test_losses_are_computed_in_float32_under_autocast(model_type, likelihood):
    model = build(model_type, (1, 8, 8), **SMALL, likelihood=likelihood)
    batch = Batch(torch.rand(32, 1, 8, 8))
    with seeded(0):
        plain = model.loss(batch)
    with seeded(0), torch.autocast("cpu", torch.bfloat16):
        mixed = model.loss(batch)
        assert model.decoder(torch.randn(2, 3)).dtype == torch.bfloat16
        assert {t.dtype for t in model.posterior(batch.x)} == {torch.float32}
        assert model.decode(torch.randn(2, 3)).dtype == torch.float32
        assert build(AE, (6,), **SMALL).encode(torch.rand(2, 6)).dtype == torch.float32
    assert mixed.value.dtype == torch.float32
    torch.testing.assert_close(mixed.value, plain.value, rtol=0.01, atol=0.0)


def test_any_encoder_and_decoder_may_be_handed_in():
    decoder = nn.Sequential(nn.Linear(4, 36 * 36), nn.Unflatten(1, (1, 36, 36)))
    modules = {"encoder": NatureCNN((1, 36, 36)), "decoder": decoder}
    model = build(VAE, (1, 36, 36), modules=modules, latent=4)
    assert model.reconstruct(torch.rand(2, 1, 36, 36)).shape == (2, 1, 36, 36)
    assert model.decoder is decoder
    mlp = build(AE, (6,), modules={"encoder": MLP(6, (7,))}, latent=4)
    assert mlp.encode(correlated(3)).shape == (3, 4)
    with pytest.raises(TypeError, match="encoder is a Identity: expected one with"):
        build(AE, (6,), modules={"encoder": nn.Identity()})


def test_auto_chooses_convolutions_where_the_picture_is_large_enough():
    kinds = [
        type(build(AE, shape).encoder[0]).__name__ for shape in ((1, 16, 16), (1, 16, 15), (256,))
    ]
    assert kinds == ["ConvEncoder", "MLPEncoder", "MLPEncoder"]
    assert build(AE, (6,)).likelihood == "gaussian"
    assert build(AE, (1, 8, 8)).likelihood == "bernoulli"


@pytest.mark.parametrize(
    ("model_type", "settings", "message"),
    [
        (AE, {"latent": 0}, "latent is 0: expected at least 1"),
        (AE, {"encoder": "convs"}, "unknown encoder 'convs'; did you mean 'conv'"),
        (VAE, {"likelihood": "poisson"}, "likelihood is 'poisson'"),
        (VAE, {"scale": 0.0}, "scale is 0.0: expected more than 0"),
        (VAE, {"kl_warmup_steps": -1}, "kl_warmup_steps is -1: expected at least 0"),
        (BetaVAE, {"beta": -1.0}, "beta is -1.0: expected at least 0"),
        (BetaTCVAE, {"gamma": -0.5}, "gamma is -0.5: expected at least 0"),
        (BetaTCVAE, {"estimator": "exact"}, "estimator is 'exact': expected one of"),
        (BetaTCVAE, {"batch_size": 1}, "batch_size is 1: expected at least 2"),
        (AE, {"activation": "rellu"}, "did you mean 'relu'"),
        (AE, {"encoder": "conv"}, r"encoder is 'conv': data of shape \(6,\) are no pictures"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(model_type, settings, message):
    with pytest.raises(ValueError, match=message):
        build(model_type, (6,), **settings)


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        VAEConfig().latent = 3


@every_model
def test_models_may_be_in_double_precision(model_type):
    model = build(model_type, (1, 8, 8), **SMALL).double()
    batch = Batch(torch.rand(8, 1, 8, 8, dtype=torch.double))
    assert {player.loss(batch).value.dtype for player in model.players()} == {torch.double}
    assert model.sample(3).dtype == torch.double


@pytest.mark.cuda
@every_model
@pytest.mark.parametrize("encoder", ["mlp", "conv", "resnet"])
def test_gradients_on_cuda_are_those_of_the_cpu(model_type, encoder):
    """In double precision; of models that draw noise, codes and what a fixed code costs."""
    model, twin = (
        build(model_type, (1, 16, 16), encoder=encoder, **SMALL).double().to(device)
        for device in ("cpu", "cuda")
    )
    x = torch.rand(8, 1, 16, 16, dtype=torch.double)
    for player in twin.players():
        loss = player.loss(Batch(x.cuda())).value
        gradients = torch.autograd.grad(loss, list(player.module.parameters()))
        assert all(g.isfinite().all() and g.is_cuda for g in gradients)
    here, there = (
        m.reconstruction_loss(m.encode(d), d).mean() for m, d in ((model, x), (twin, x.cuda()))
    )
    torch.testing.assert_close(here, there.cpu())
    for ours, theirs in zip(
        torch.autograd.grad(here, list(model.decoder.parameters())),
        torch.autograd.grad(there, list(twin.decoder.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs.cpu())
    assert twin.sample(4).is_cuda
