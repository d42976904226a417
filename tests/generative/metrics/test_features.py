"""Feature spaces and what a classifier says of samples."""

import math

import pytest
import torch
from torch import nn

from generative.data.dataset import Dataset
from generative.data.load import load_dataset
from generative.metrics.distances import frechet_distance
from generative.metrics.features import (
    Classifier,
    inception,
    recognition,
    train_classifier,
)
from generative.metrics.neighbours import precision_recall
from nets.supervised.metrics import accuracy


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits").split(0.3, seed=0)


@pytest.fixture(scope="module")
def classifier(digits):
    return train_classifier(digits[0], steps=400)


def test_G_VAE_11_a_classifier_trained_in_a_second_recognises_held_out_data(digits, classifier):
    held_out = digits[1].batch(slice(None))
    found = recognition(classifier, held_out.x, held_out.label)
    assert found.accuracy > 0.95
    assert found.confident > 0.85
    assert found.classes.sum() == len(held_out.x)
    with torch.random.fork_rng(devices=[]):
        noise = recognition(classifier, torch.rand(500, 1, 8, 8))
    assert noise.confident < 0.6
    assert noise.accuracy is None


def test_G_VAE_11_features_tell_worse_pictures_from_better(digits, classifier):
    train, held_out = (part.batch(slice(0, 500)).x for part in digits)

    def distance(x):
        return frechet_distance(classifier.features(train), classifier.features(x))

    noise = torch.randn(held_out.shape, generator=torch.Generator().manual_seed(0))
    same, hurt, worse = (distance(held_out + scale * noise) for scale in (0.0, 0.2, 0.4))
    assert 1.1 * same < hurt
    assert 2.0 * hurt < worse


def test_G_VAE_11_a_classifier_of_sprites_tells_their_factors_too():
    data, held_out = load_dataset("sprites:shape,scale=3:,x=::4,y=::4", size=32).split(0.2)
    classifier = train_classifier(data, steps=250)
    assert classifier.sizes == (3, 3, 3, 8, 8)
    seen = held_out.batch(slice(None))
    found = recognition(classifier, seen.x, seen.label)
    assert found.accuracy > 0.9
    assert found.evenness > 0.95
    *_, x, y = classifier(seen.x).split(classifier.sizes, dim=1)
    assert accuracy(x, held_out.factors[:, 2]) > 0.7  # chance is an eighth
    assert accuracy(y, held_out.factors[:, 3]) > 0.7
    noise = torch.rand(len(seen.x), 1, 32, 32, generator=torch.Generator().manual_seed(0))
    assert recognition(classifier, noise, seen.label).accuracy < 0.5
    features = [classifier.features(x) for x in (data.batch(slice(None)).x, seen.x, noise)]
    of_held_out, of_noise = (frechet_distance(features[0], other) for other in features[1:])
    assert 20.0 * of_held_out < of_noise
    assert precision_recall(features[0], features[1]).precision > 0.8
    assert precision_recall(features[0], features[2]).precision == 0.0


def test_training_leaves_global_generators_alone_and_repeats_with_its_seed(digits):
    before = torch.get_rng_state()
    one, same, other = (train_classifier(digits[0], steps=3, seed=s) for s in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one.head.weight, same.head.weight)
    assert not torch.equal(one.head.weight, other.head.weight)


@pytest.mark.parametrize("shape", [(2,), (1, 8, 8), (3, 28, 28), (1, 64, 64)])
def test_classifiers_of_any_data(shape):
    with torch.device("meta"):
        classifier = Classifier(shape, (5, 7))
        x = torch.rand(2500, *shape)
    assert classifier.features(x).shape == (2500, 64)
    assert classifier(x).shape == (2500, 12)
    assert classifier.probabilities(x).shape == (2500, 5)


class Given(nn.Module):
    """Takes rows for logits."""

    def probabilities(self, x):
        return x.softmax(1)


def test_recognition_by_hand():
    logits = torch.tensor([[9.0, 0.0, 0.0], [9.0, 0, 0], [0.0, 1.0, 0.0], [0.0, 9.0, 0.0]])
    found = recognition(Given(), logits, torch.tensor([0, 1, 1, 1]))
    assert found.confident == 0.75
    assert found.classes.tolist() == [2, 2, 0]
    assert found.evenness == pytest.approx(math.log(2) / math.log(3))
    assert found.accuracy == 0.75


def test_G_VAE_11_inceptions_features_of_grey_coloured_and_uint8_pictures(monkeypatch):
    """The network of torch-fidelity with weights drawn at random: its own lie on the internet."""
    module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    monkeypatch.setattr(module, "load_state_dict_from_url", lambda *_, **__: {})
    monkeypatch.setattr(module.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
    grey = torch.randint(0, 256, (2, 1, 8, 8), dtype=torch.uint8)

    def features(x):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return inception(x).features

    found = features(grey)
    assert found.shape == (2, 2048)
    assert not torch.equal(found[0], found[1])
    assert torch.equal(features(grey.expand(-1, 3, -1, -1)), found)
    assert torch.equal(features(grey / 255), found)


def test_errors_name_what_is_wrong():
    with pytest.raises(ValueError, match="plain has no classes to train a classifier on"):
        train_classifier(Dataset("plain", torch.zeros(4, 2)))
    with pytest.raises(ValueError, match=r"\[2, 4, 8, 8\]: expected \[N, 1 or 3, H, W\]"):
        inception(torch.zeros(2, 4, 8, 8))
