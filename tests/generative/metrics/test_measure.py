"""What is measured of samples: data themselves are the ceiling, noise is the floor."""

import sys
from dataclasses import replace

import pytest
import torch

from generative.data.load import load_dataset
from generative.metrics.features import Inception
from generative.metrics.measure import listed, measure, recognised


class Stand:
    """A model whose samples are rows that it was given, the classes asked for if it has them."""

    name, classes, device = "stand", 0, torch.device("cpu")

    def __init__(self, x, labels=None):
        self.x, self.labels, self.shape = x, labels, tuple(x.shape[1:])
        self.classes = 0 if labels is None else int(labels.max()) + 1

    def sample(self, n, label=None):
        if label is None:
            return self.x[torch.arange(n) % len(self.x)]
        rows = [(self.labels == k).nonzero()[:, 0] for k in range(self.classes)]
        chosen = [rows[k][i // self.classes % len(rows[k])] for i, k in enumerate(label.tolist())]
        return self.x[torch.stack(chosen)]

    def validate(self, batch):
        return {}


def found(group, model, *parts):
    return {figure.name: figure.value for figure in group(model, *parts, 0)}


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits").split(0.6, seed=0)


def test_G_VAE_11_data_are_recognised_and_noise_is_not(digits):
    rows = digits[1].batch(slice(None))
    noise = torch.rand(rows.x.shape, generator=torch.Generator().manual_seed(0))
    best = found(recognised, Stand(rows.x, rows.label), *digits)
    worst = found(recognised, Stand(noise, rows.label), *digits)
    assert list(best) == list(worst)
    assert best["accuracy"] > 0.93
    assert worst["accuracy"] < 0.3
    assert best["confident"] > 0.8 > worst["confident"] + 0.2
    assert best["evenness"] > 0.98 > worst["evenness"]
    assert best["feature_precision"] > 0.7 > worst["feature_precision"] + 0.3
    assert best["feature_recall"] > 0.7 > worst["feature_recall"] + 0.3
    for name in ("accuracy", "confident", "evenness"):
        assert best[name] == pytest.approx(best[f"{name}_of_data"], abs=0.02)
        assert best[f"{name}_of_data"] == worst[f"{name}_of_data"]
    assert 10.0 * best["frechet_distance"] < worst["frechet_distance"]
    rows = digits[0].batch(slice(None))  # those that the classifier learns from, and knows better
    known = found(recognised, Stand(rows.x, rows.label), *digits)
    assert known["accuracy"] > known["accuracy_of_data"] + 0.01
    assert known["frechet_distance"] > 3.0 * best["frechet_distance"]


def test_a_model_of_one_class_is_uneven_however_good(digits):
    rows = digits[1].batch(slice(None))
    sevens = found(recognised, Stand(rows.x[rows.label == 7]), *digits)
    assert sevens["confident"] > 0.8
    assert sevens["evenness"] < 0.15
    assert sevens["feature_recall"] < 0.5
    assert "accuracy" not in sevens


def test_G_GAN_10_copies_are_sought_in_training_data_and_quality_beside_other_data(
    digits, monkeypatch
):
    monkeypatch.setattr("generative.metrics.measure.recognised", lambda *_: ())
    train, held_out = (  # what a model knows by heart
        {f.name: f.value for f in measure(Stand(part.batch(slice(None)).x), *digits)}
        for part in digits
    )
    assert train["nearest_datum"] == 0.0
    assert held_out["nearest_datum"] > 0.5
    for name in ("precision", "recall"):
        assert held_out[name] > train[name] + 0.05


def test_G_GAN_10_samples_are_sought_in_all_data_where_these_are_all_there_are(digits):
    parts = load_dataset("sprites:shape,x=::2,y=::2", size=32).split(0.2)
    unseen = Stand(parts[1].batch(slice(None)).x)
    assert found(listed, unseen, *parts)["genuine"] == 1.0
    assert found(listed, unseen, *parts)["genuine_different"] == len(parts[1])
    assert found(listed, Stand(unseen.x.roll(9, 0) * unseen.x), *parts)["genuine"] < 0.1
    assert found(listed, Stand(digits[1].batch(slice(None)).x), *digits) == {}
    some = load_dataset("sprites:shape,x=::2,y=::2", size=32, limit=700).split(0.2)
    assert found(listed, unseen, *some) == {}  # there are others


def test_G_GAN_06_samples_are_counted_by_the_gaussians_that_drew_the_data():
    """Whatever the data are called: 98.9 % of a Gaussian in the plane are within 3 sigma."""
    data = replace(load_dataset("ring:3"), name="points")
    ring = {f.name: f.value for f in measure(Stand(data.x), data, data)}
    assert ring["modes_covered"] == 3
    assert ring["high_quality"] == pytest.approx(0.989, abs=0.005)
    unknown = replace(data, modes=None)
    assert "modes_covered" not in {f.name for f in measure(Stand(data.x), unknown, unknown)}


def test_all_groups_are_asked(digits):
    names = [figure.name for figure in measure(Stand(digits[1].batch(slice(None)).x), *digits)]
    assert {"squared_mmd", "precision", "frechet_distance", "confident"} <= set(names)


def test_fid_compares_as_many_samples_as_rows_in_inceptions_features(digits, monkeypatch):
    asked = []

    def first_pixels(x):
        asked.append(len(x))
        assert x.dtype == torch.uint8  # a fourth of the room
        values = x.flatten(1) / 255
        return Inception(values[:, 20:24], values)

    monkeypatch.setattr("generative.metrics.measure.inception", first_pixels)
    monkeypatch.setattr("generative.metrics.measure.recognised", lambda *_: ())
    x = digits[0].batch(slice(None)).x
    figures = {f.name: f.value for f in measure(Stand(x), *digits, fid=True)}
    assert figures["fid"] == pytest.approx(0.0, abs=1e-9)
    assert figures["kid"] == pytest.approx(0.0, abs=0.01)
    assert figures["inception_score"] >= 1.0
    assert asked == [len(x), len(x)]
    figures = {f.name: f.value for f in measure(Stand(1 - x), *digits, fid=True)}
    between = 1 - 2 * x.flatten(1)[:, 20:24].mean(0)  # of means; the covariances are alike
    assert figures["fid"] == pytest.approx(between.square().sum().item(), rel=1e-4)


def test_fid_without_torch_fidelity_says_what_to_install(digits, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    monkeypatch.setattr("generative.metrics.measure.recognised", lambda *_: ())
    figures = {f.name: f for f in measure(Stand(digits[0].batch(slice(None)).x), *digits, fid=True)}
    assert figures["fid"].value is None
    assert "pip install torch-fidelity" in figures["fid"].meaning
    assert figures["nearest_datum"].value is not None  # what can be measured is
