"""Latents of a table: as many as its columns have in common."""

import pytest
import torch

from generative import VAEConfig, build_model
from generative.autoencoders.factors import common_factors
from generative.data.dataset import Dataset, Units


def table(rows, factors, columns=4, noise=0.5, seed=0):
    """Columns that share `factors` factors, each `columns` of them one, and noise of their own."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(rows, factors, generator=generator)
    own = torch.randn(rows, factors * columns, generator=generator)
    return z.repeat_interleave(columns, 1) + noise * own


@pytest.mark.parametrize("rows", [100, 2000])
@pytest.mark.parametrize("factors", [1, 2, 5])
def test_factors_that_columns_share_are_counted(rows, factors):
    assert [common_factors(table(rows, factors, seed=k)) for k in range(5)] == [factors] * 5


def test_more_columns_than_rows():
    assert common_factors(table(30, 2, columns=40)) == 2


def test_at_least_one_and_at_most_ten():
    assert common_factors(torch.randn(500, 6, generator=torch.Generator().manual_seed(0))) == 1
    assert common_factors(torch.ones(20, 3)) == 1
    assert common_factors(table(2000, 12)) == 10


def test_a_told_class_is_no_factor():
    label = torch.arange(900) % 3
    x = table(900, 1)
    x[:, :2] += 5 * label[:, None].float()  # the class moves two of four columns
    assert common_factors(x) == 2
    assert common_factors(x, label) == 1


def test_models_of_tables_have_as_many_latents_unless_told():
    x, label = table(300, 2), torch.arange(300) % 2
    units = Units(tuple("abcdefgh"), torch.zeros(8), torch.ones(8))
    rows = Dataset("t.csv", x, label, ("a", "b"), units=units)
    for name in ("vae", "ae", "aae"):
        assert build_model(name, rows).config.latent == 2
    x[:] += 5 * label[:, None]
    x[:, :4] += 5 * label[:, None]
    told = VAEConfig(conditional=True)
    assert build_model("vae", rows, told).latent == 2
    assert build_model("vae", rows, VAEConfig(latent=7)).latent == 7
    assert build_model("vae", Dataset("x.npy", x)).latent == 10
