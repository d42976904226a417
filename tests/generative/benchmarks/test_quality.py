"""Experiments on quality: one configuration, one run; rows name what is there."""

import math
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from generative.benchmarks import measures, own_files, samples
from generative.benchmarks.divergences import Apart
from generative.benchmarks.drawing import DrawOptions
from generative.benchmarks.fitted import Fit, Fitted
from generative.benchmarks.measures import (
    beside_factor_analysis,
    beside_pca,
    dequantised,
    disentangled,
)
from generative.benchmarks.quality import ROWS
from generative.benchmarks.samples import draw, recognised_samples
from generative.data.load import load_dataset
from nets.benchmarks.quality import OfFile, run_row


def size(fit):
    return {"rows": len(fit.train), "unseen": len(fit.held_out), "seed": fit.seed}


def test_a_run_is_told_by_its_settings():
    plain = Fitted("vae", "digits", size)
    config = plain.config()
    assert (config["steps"], config["settings"]["latent"]) == (5000, 4)  # preset
    assert config["settings"]["hidden"] == (256, 256)  # default
    other = replace(plain, overrides={"latent": 3, "steps": 7, "limit": 40}).config()
    assert other["settings"] == config["settings"] | {"latent": 3}
    assert (other["steps"], other["limit"]) == (7, 40)
    assert replace(plain, held_out=0.25).config() != config
    assert "ema_warmup" not in config["settings"]  # nothing is averaged
    assert replace(plain, overrides={"ema_decay": 0.9}).config()["settings"]["ema_warmup"]
    with pytest.raises(ValueError, match="aae on ring has no preset that says its steps"):
        Fitted("aae", "ring", size).config()
    with pytest.raises(TypeError, match="laten"):
        replace(plain, overrides={"laten": 3}).config()


def test_a_run_measures_the_rows_it_was_told_to_hold_out():
    short = Fitted("vae", "digits", size, {"steps": 1, "limit": 40}, held_out=0.25)
    assert short.run(2) == {"rows": 30, "unseen": 10, "seed": 2}
    assert replace(short, held_out=0.0).run(0) == {"rows": 40, "unseen": 40, "seed": 0}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_says_what_it_runs(row, tmp_path):
    experiment = row.experiment
    if isinstance(experiment, OfFile):
        experiment = experiment.make(tmp_path / "mnist.npz")
    assert experiment.config() == experiment.config() != {}
    assert row.name.startswith(row.runs)


def linear(steps):
    overrides = {"encoder": "mlp", "hidden": (), "likelihood": "gaussian", "latent": 5}
    return Fitted("ae", "digits", beside_pca, overrides | {"steps": steps}, held_out=0.2).fit(0)


def test_G_AE_01_a_linear_autoencoder_with_principal_axes_has_the_error_of_pca():
    fit = linear(steps=1)
    with torch.no_grad():
        assert beside_pca(fit)["train_ratio"] > 1.5  # hardly trained
    x = fit.train.batch(slice(None)).x.flatten(1)
    axes = torch.from_numpy(PCA(5).fit(x.numpy()).components_)  # [5, 64]
    into, out = (
        next(m for m in half.modules() if isinstance(m, torch.nn.Linear))
        for half in (fit.model.encoder, fit.model.decoder)
    )
    mixing = torch.tril(torch.ones(5, 5))  # any basis of the plane will do
    with torch.no_grad():
        into.weight.copy_(mixing @ axes)
        into.bias.copy_(-(mixing @ axes) @ x.mean(0))
        out.weight.copy_(axes.T @ mixing.inverse())
        out.bias.copy_(x.mean(0))
        found = beside_pca(fit)
    assert found["train_ratio"] == pytest.approx(1.0, abs=1e-5)
    assert found["held_out_ratio"] == pytest.approx(1.0, abs=1e-5)
    rest = PCA(64).fit(x.numpy()).explained_variance_[5:].sum() * (1 - 1 / len(x))
    assert found["train_error"] == pytest.approx(rest, rel=1e-4)  # the variance left out


def test_dequantised_digits_keep_their_levels():
    digits = load_dataset("digits", limit=200)
    x = dequantised(digits).x
    assert x.shape == (200, 64)
    levels = np.floor(x.double().numpy() * 17)
    np.testing.assert_allclose(levels, digits.x.flatten(1).numpy() / 255 * 16, atol=0.04)
    rest = x.double().numpy() * 17 - levels
    assert abs(rest.mean() - 0.5) < 0.01
    assert abs(rest.var() - 1 / 12) < 0.002


def test_factor_analysis_is_fitted_to_the_training_rows_and_scored_on_the_others(monkeypatch):
    monkeypatch.setattr(measures, "COMPONENTS", (8, 16))  # quick ones
    overrides = {"steps": 1, "limit": 400, "hidden": (8,)}
    experiment = Fitted(
        "vae", "digits", beside_factor_analysis, overrides, held_out=0.25, prepare=dequantised
    )
    found = experiment.run(0)
    assert 30.0 < found["factor_analysis"] < 55.0
    assert found["elbo"] < found["log_likelihood"] + 1.0
    assert found["elbo_advantage"] == found["elbo"] - found["factor_analysis"] < 0.0  # untrained


def test_G_VAE_08_the_whole_data_are_looked_at_for_their_code():
    found = Fitted("vae", "sprites:scale,x=::8", disentangled, {"steps": 1, "size": 16}).run(0)
    assert 0.0 <= found["mig"] < 0.2  # untrained
    parts = ("mutual_information", "total_correlation", "dimension_wise_kl")
    assert sum(found[part] for part in parts) == pytest.approx(found["kl"], abs=0.05)


def test_mnist_is_read_from_the_users_file_and_binarised(tmp_path):
    pictures = load_dataset("digits", size=28, limit=60).x.numpy()
    np.savez(tmp_path / "mnist.npz", x_train=pictures[:, 0], y_train=np.zeros(60, np.int64))
    row = next(row for row in ROWS if row.name == "generative/vae-mnist-nll")
    experiment = row.given(tmp_path / "mnist.npz").experiment
    assert experiment.config()["data"] == "mnist"  # and not where it lies
    short = replace(experiment, overrides=experiment.overrides | {"steps": 2, "batch_size": 10})
    fit = short.fit(0)
    assert (len(fit.train), len(fit.held_out)) == (50, 10)
    assert fit.held_out.batch(slice(None)).x.unique().tolist() == [0.0, 1.0]
    found = short.run(0)
    assert 450.0 < found["nll"] < 550.0  # 784 log 2 is 543
    assert found["nll"] < -found["elbo"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ae-linear-train-ratio", "vae-digits-elbo-advantage"])
def test_rows_reach_their_bars(name, tmp_path):
    row = next(row for row in ROWS if row.name == f"generative/{name}")
    outcomes = (run_row(row, seeds, tmp_path, lambda: None) for seeds in (1, 3))  # then the median
    assert any(outcome.passed for outcome in outcomes)


def test_G_GAN_05_samples_are_judged_beside_data_and_sought_among_them():
    short = {"steps": 2, "base_filters": 4, "latent": 3}
    data = "sprites:shape,x=8:24:4,y=8:24:4"
    told = {"size": 32, "conditional": True}
    found = Fitted("dcgan", data, recognised_samples, short | told, held_out=0.25).run(0)
    assert found["accuracy_of_data"] > 0.9
    assert found["accuracy"] < 0.6
    assert found["genuine"] == found["genuine_different"] == 0


def test_the_class_of_the_nearest_picture_is_asked_for(monkeypatch):
    """Of a model whose samples are data, all in order; but its large ones are of the next class."""
    data = load_dataset("sprites:shape,scale=0::5,x=8:24:4,y=8:24:4", size=32)
    monkeypatch.setattr(samples, "recognised_samples", lambda fit: {})
    train, held_out = data.split(0.25)

    class Copies:
        classes = 3

        def sample(self, n, label):
            large = torch.arange(n) >= 500
            alike = data.labels == ((label + large) % 3)[:, None]
            rows = alike & (data.factors[:, 1] == large[:, None])
            return data.batch(rows.float().argmax(1)).x

    found = samples.beside_the_nearest(Fit(Copies(), Copies(), train, held_out, 0))
    assert found["nearest"] == pytest.approx(0.5)
    assert found["nearest_of_small"] == 1.0
    assert found["nearest_of_large"] == 0.0
    assert found["distance"] == pytest.approx(0.0, abs=1e-3)


def test_G_GAN_07_a_discriminator_learns_that_points_differ_and_a_critic_how_far_they_are():
    found = Apart(distances=(1.0, 3.0), steps=400, learning_rate=1e-2).run(0)
    assert found["jensen_shannon"] == pytest.approx([math.log(2.0)] * 2, abs=2e-3)
    slopes = [1.0 + theta / 200.0 for theta in (1.0, 3.0)]  # where −θs + λ(s − 1)² is least
    assert found["wasserstein"] == pytest.approx([slopes[0], 3.0 * slopes[1]], rel=0.02)
    assert found["critic_slope"] == pytest.approx(slopes, rel=0.03)
    assert found["steepest_discriminator"] < 0.02
    assert found["flattest_critic"] == min(found["critic_slope"])


def test_samples_are_drawn_below_the_data(tmp_path):
    draw(DrawOptions(tmp_path / "samples.png", steps=1))
    picture = iio.imread(tmp_path / "samples.png")
    bands = np.array_split(picture[:, picture.shape[1] // 4 :].std(axis=(1, 2)), 3)
    assert bands[0].mean() > 2.0 * max(band.mean() for band in bands[1:])  # nothing is learned yet


def test_own_files_are_trained_on_as_the_command_does(monkeypatch):
    """By its defaults, and what is measured are the weights that are best on held-out rows."""
    monkeypatch.setattr(own_files, "STEPS", 40)
    found = own_files.OwnFiles("vae", own_files.flowers, labels="species").run(0)
    assert found["latents"] == 1
    assert found["active_latents"] in (0.0, 1.0)
    assert "4 columns, standardised: sepal length, sepal width" in found["notes"][-1]
