"""Models that are told the class: how it is asked for, what it changes, what is measured."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from generative import build_model, load_dataset
from generative.autoencoders.config import AAEConfig, BetaVAEConfig, VAEConfig
from generative.autoencoders.variational import VAE
from generative.data.dataset import Dataset
from generative.gans.minimax import GANConfig
from generative.metrics.likelihood import held_out_terms, importance_log_likelihood
from generative.model import Batch
from generative.training.run import RunConfig
from generative.training.trainer import Trainer
from nets.process.seeding import seeded

KINDS = {"vae": VAEConfig, "beta-vae": BetaVAEConfig, "aae": AAEConfig}
KINDS |= {"gan": GANConfig}


def blobs(rows=300):
    """Three classes at the corners of a triangle."""
    labels = torch.arange(rows) % 3
    corners = torch.tensor([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]])
    noise = torch.randn(rows, 2, generator=torch.Generator().manual_seed(0))
    return Dataset("blobs", corners[labels] + 0.2 * noise, labels, ("a", "b", "c"))


@pytest.mark.parametrize("name", list(KINDS))
def test_a_class_is_asked_for_in_any_form(name):
    data = load_dataset("digits", limit=40)
    model = build_model(name, data, KINDS[name](conditional=True, hidden=(8,))).eval()
    assert model.classes == 10
    found = []
    for label in (3, torch.tensor(3), [3] * 5, torch.full((5,), 3), torch.full((5,), 3).int()):
        with seeded(0):
            found.append(model.sample(5, label))
    assert all(torch.equal(each, found[0]) for each in found)
    with seeded(0):
        assert not torch.equal(model.sample(5, 4), found[0])
    assert model.sample(5).shape == (5, 1, 8, 8)


REFUSED = {
    "too large": (10, ValueError, "label is 10: expected 0 to 9"),
    "negative": ([0, 1, -1], ValueError, "label is -1: expected 0 to 9"),
    "another number": ([0, 1], ValueError, r"label has shape \[2\]: expected one class, or \[3\]"),
    "a float": (3.0, TypeError, "label is of torch.float32: expected integers"),
    "a name": ("seven", TypeError, "label is 'seven': expected integers"),
}


@pytest.mark.parametrize("case", list(REFUSED))
@pytest.mark.parametrize("name", ["vae", "gan"])
def test_classes_that_there_are_not_are_refused(name, case):
    label, error, match = REFUSED[case]
    model = build_model(name, load_dataset("digits", limit=40), KINDS[name](conditional=True))
    with pytest.raises(error, match=match):
        model.sample(3, label)
    plain = build_model(name, load_dataset("digits", limit=40))
    with pytest.raises(ValueError, match="is not conditional: it takes no label"):
        plain.sample(3, 1)


def test_a_conditional_model_needs_classes():
    points = Dataset("points", torch.randn(20, 2))
    with pytest.raises(ValueError, match="a conditional vae needs data with classes"):
        build_model("vae", points, VAEConfig(conditional=True))
    model = build_model("vae", blobs(), VAEConfig(conditional=True))
    with pytest.raises(ValueError, match="a conditional vae needs batches with labels"):
        model.loss(Batch(torch.zeros(4, 2)))


@pytest.mark.parametrize("name", ["vae", "beta-vae"])
def test_samples_are_of_the_class_that_is_asked_for(name):
    data = blobs()
    config = KINDS[name](conditional=True, latent=2, hidden=(32,), learning_rate=0.01)
    model = build_model(name, data, config)
    run = RunConfig(steps=300, segment_steps=300, log_every=300, eval_every=0, draw_every=0)
    Trainer(model, data, config=run, device="cpu", progress=False).run(300)
    model.eval()
    corners = torch.stack([data.x[data.labels == k].mean(0) for k in range(3)])
    for k in range(3):
        nearest = torch.cdist(model.sample(50, k), corners).argmin(1)
        assert (nearest == k).float().mean() > 0.9
    x = data.x[:60]
    named, guessed = model.reconstruct(x, data.labels[:60]), model.reconstruct(x)
    torch.testing.assert_close(named, guessed)  # the nearest class is the right one


class OneOfTwo(nn.Module):
    """A mean of its own for each of two classes, whatever the latents."""

    def forward(self, z):
        return z[:, -2:] @ torch.tensor([[1.0], [-2.0]])


def test_without_labels_the_likelihood_is_that_over_all_classes():
    config = VAEConfig(conditional=True, latent=1, hidden=(4,), learn_scale=False)
    model = VAE((1,), config, decoder=OneOfTwo(), dataset_size=4, num_classes=2).eval()
    with torch.no_grad():
        model.encoder[1].weight.zero_()
        model.encoder[1].bias.zero_()  # q(z | x) is the prior, so that the bound is exact
    x = torch.linspace(-3, 3, 7)[:, None]
    normal = torch.distributions.Normal
    each = torch.stack([normal(mean, 1.0).log_prob(x[:, 0]) for mean in (1.0, -2.0)])
    expected = each.logsumexp(0) - math.log(2)
    torch.testing.assert_close(importance_log_likelihood(model, x, samples=3), expected)
    labels = torch.tensor([0, 1, 1, 0, 0, 1, 0])
    data = Dataset("line", x, labels, ("a", "b"))
    terms = held_out_terms(model, data)
    of_labels = each.gather(0, labels[None])[0].mean().item()
    assert terms["elbo"] == pytest.approx(of_labels, rel=1e-5)


def test_a_class_without_rows_is_warned_of():
    data = replace(blobs(60), class_names=("a", "b", "c", "d"))
    model = build_model("vae", data, VAEConfig(conditional=True, hidden=(8,)))
    with pytest.warns(UserWarning, match="no row to train on is of the class 'd': samples of it"):
        Trainer(model, data, progress=False)
    model = build_model("vae", data, VAEConfig(hidden=(8,)))
    Trainer(model, data, progress=False)  # is not asked for classes
