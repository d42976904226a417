"""Autoencoders, plain and adversarial; and what every kind of autoencoder can do."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from autoencoding import SMALL, build, correlated, every_model, train
from torch import nn
from torch.distributions import Bernoulli

from generative.autoencoders.adversarial import AAE
from generative.autoencoders.config import VAEConfig
from generative.autoencoders.moving_gaussian import MovingGaussian
from generative.autoencoders.plain import AE
from generative.autoencoders.variational import VAE, BetaTCVAE, BetaVAE
from generative.model import Batch
from nets.layers.mlp import MLP
from nets.networks.encoders import NatureCNN
from nets.process.seeding import seeded

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


@pytest.mark.parametrize("model_type", [AE, AAE])
def test_G_AE_01_G_AE_02_what_is_lowered_is_the_mean_over_rows_of_the_squared_distance(model_type):
    model, x = build(model_type, (6,), **SMALL), correlated(5)
    expected = (model.reconstruct(x) - x).square().sum(1).mean()
    torch.testing.assert_close(model.loss(Batch(x)).value, expected)


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
    assert model.judge(model.prior(3)).shape == (3,)  # a logit for each


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


@every_model
@pytest.mark.parametrize("shape", [(1, 8, 8), (6,)])
def test_samples_of_a_gaussian_decoder_end_at_black_and_white_where_they_are_pictures(
    model_type, shape
):
    """Its means may lie anywhere; those of vectors stay where they are."""
    linear = nn.Linear(3, math.prod(shape), bias=False)
    decoder = nn.Sequential(linear, nn.Unflatten(1, shape))
    model = build(model_type, shape, modules={"decoder": decoder}, **SMALL, likelihood="gaussian")
    with seeded(0):
        nn.init.normal_(linear.weight, std=3.0)
    with seeded(1):
        samples = model.sample(20)
    with seeded(1):
        means = model.decode(model.prior(20)).detach()
    assert means.min() < -1.0
    assert means.max() > 2.0
    assert torch.equal(samples, means.clamp(0.0, 1.0) if len(shape) == 3 else means)


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
