"""Data that a model takes for something else are refused, or warned of, before any step."""

import pytest
import torch
from known_models import SMALL, build

from generative.autoencoders.config import AEConfig, VAEConfig
from generative.autoencoders.plain import AE
from generative.autoencoders.variational import VAE
from generative.data.dataset import Dataset
from generative.training.learner import Learner
from generative.training.run import RunConfig
from generative.training.trainer import Trainer


def table(*columns):
    return Dataset("table", torch.stack(columns, 1))


def column(seed=0):
    return torch.randn(50, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("kind", "config"), [(VAE, VAEConfig), (AE, AEConfig)])
def test_bernoulli_is_of_numbers_in_0_to_1(kind, config):
    settings = config(**SMALL, likelihood="bernoulli")
    inside = table(column().sigmoid(), column(1).sigmoid())
    Learner(build(kind, settings, inside), inside, device="cpu")
    for outside in (table(column(), column(1)), table(column().sigmoid(), column(1).abs() + 1)):
        model = build(kind, settings, outside)
        with pytest.raises(ValueError, match=r"table ranges from .*: likelihood 'bernoulli' is of"):
            Learner(model, outside, device="cpu")


@pytest.mark.parametrize(
    "wrong", [1e6 * column(1), column(1) + 1e3, 1e-4 * column(1)], ids=["wide", "far", "narrow"]
)
def test_columns_out_of_scale_are_named(wrong):
    data = table(column(), wrong)
    model = build(VAE, VAEConfig(**SMALL), data)
    with pytest.warns(UserWarning, match="table: column 1 has mean .* standardise the columns"):
        Learner(model, data, device="cpu")


def test_columns_of_ordinary_size_are_not():
    data = table(column(), 5 * column(1) + 3)
    Learner(build(VAE, VAEConfig(**SMALL), data), data, device="cpu")


def test_columns_that_never_vary_are_told_of_where_their_scale_is_learned():
    data = table(column(), torch.full((50,), 7.0), torch.zeros(50))
    with pytest.warns(UserWarning, match="table: column 1 and 1 more never vary, so its learned"):
        Learner(build(VAE, VAEConfig(**SMALL), data), data, device="cpu")
    Learner(build(VAE, VAEConfig(**SMALL, learn_scale=False), data), data, device="cpu")


@pytest.mark.parametrize(
    "rows", [torch.full((70, 1, 8, 8), 9, dtype=torch.uint8), torch.ones(70, 2)]
)
def test_rows_that_are_all_equal_are_told_of(rows):
    blank = Dataset("blank", rows)
    model = build(AE, AEConfig(**SMALL), blank)
    with pytest.warns(UserWarning, match="blank: all 70 rows are equal"):
        Learner(model, blank, device="cpu")
    rows = rows.clone()
    rows[-1] = 0
    Learner(model, Dataset("one other", rows), device="cpu")


def test_latents_that_say_nothing_are_warned_of():
    """Of noise there is nothing to say: with a heavy KL every latent is dead."""
    data = Dataset("noise", torch.randn(256, 6, generator=torch.Generator().manual_seed(0)))
    config = RunConfig(steps=300, segment_steps=300, log_every=100, eval_every=100, draw_every=0)
    model = build(VAE, VAEConfig(**SMALL, learning_rate=0.01), data)
    trainer = Trainer(model, data, config=config, held_out=data, device="cpu", progress=False)
    with torch.no_grad():
        model.encoder[1].weight.zero_()
        model.encoder[1].bias.zero_()
    model.encoder.requires_grad_(False)
    said = "no latent of the vae says anything of the data: after 200"
    with pytest.warns(UserWarning, match=said) as told:
        trainer.run(300)
    assert len(told) == 1  # though it was measured twice
    assert trainer.watch.measured["active_latents"] == 0.0
