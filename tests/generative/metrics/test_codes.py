"""Disentanglement scores of codes whose score is known: perfect, shared, rotated, ignorant."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from generative.metrics.dci import dci, scores
from generative.metrics.factor_vae import factor_vae_score
from generative.metrics.gap import mig_chen, mig_locatello

SIZES = (6, 6, 4)
GRID = torch.tensor(list(itertools.product(*map(range, SIZES)))).repeat(8, 1)  # [1152, 3]
SHARP = -12.0  # log variance of a posterior that is sure


def standardised(codes):
    return (codes - codes.mean(0)) / codes.std(0)


def noise(columns=1, seed=0):
    random = np.random.default_rng(seed)
    return torch.as_tensor(random.standard_normal((len(GRID), columns)), dtype=torch.float32)


PERFECT = standardised(GRID.float())
ROTATED = torch.stack([PERFECT[:, 0] + PERFECT[:, 1], PERFECT[:, 0] - PERFECT[:, 1]], 1) / 2**0.5
IGNORANT = noise(3)


def chen(mean, logvar=SHARP, factors=GRID, samples=2000):
    generator = torch.Generator().manual_seed(0)
    logvar = torch.as_tensor(logvar).expand_as(mean)
    return mig_chen(mean, logvar, factors, samples=samples, generator=generator)


def with_unused(code):
    """Append a latent whose posterior is the prior's."""
    mean = torch.cat([code, torch.zeros(len(code), 1)], 1)
    logvar = torch.full_like(mean, SHARP)
    logvar[:, -1] = 0.0
    return mean, logvar


def test_G_VAE_10_both_gaps_of_a_perfect_code_are_one_in_any_order_and_scale():
    shuffled = PERFECT[:, [2, 0, 1]] * torch.tensor([1.0, -3.0, 0.5])
    for code in (PERFECT, shuffled):
        assert chen(*with_unused(code)) == pytest.approx(1.0, abs=1e-3)
        assert mig_locatello(with_unused(code)[0], GRID) == pytest.approx(1.0, abs=1e-12)


def test_G_VAE_10_both_gaps_of_a_rotated_code_are_zero():
    """At 45° either latent knows as much of either factor."""
    factors = GRID[:, :2]
    assert chen(ROTATED, factors=factors) == pytest.approx(0.0, abs=0.03)
    assert mig_locatello(ROTATED, factors) == pytest.approx(0.0, abs=1e-9)


def test_G_VAE_10_both_gaps_of_a_code_told_twice_are_zero():
    twice = torch.cat([PERFECT, PERFECT], 1)
    assert chen(twice) == pytest.approx(0.0, abs=0.02)
    assert mig_locatello(twice, GRID) == pytest.approx(0.0, abs=1e-12)


def test_G_VAE_10_both_gaps_of_an_ignorant_code_are_zero():
    assert chen(IGNORANT, logvar=0.0) == pytest.approx(0.0, abs=0.01)
    assert mig_locatello(IGNORANT, GRID) == pytest.approx(0.0, abs=0.03)


def test_G_VAE_10_both_gaps_of_half_a_factor():
    """A latent that tells only which half of six values: ln 2 of ln 6, and nothing is second."""
    half = standardised((GRID[:, :1] // 3).float())
    mean, logvar = with_unused(half)
    expected = math.log(2) / math.log(6)
    assert chen(mean, logvar, GRID[:, :1]) == pytest.approx(expected, abs=1e-3)
    assert mig_locatello(mean, GRID[:, :1]) == pytest.approx(expected, abs=1e-12)


def test_G_VAE_10_both_gaps_are_means_of_every_factors_share():
    """Half of six values and all of four: the mean of ln 2 of ln 6 and 1, not ln 8 of ln 24."""
    factors = GRID[:, [0, 2]]
    code = standardised(torch.stack([GRID[:, 0] // 3, GRID[:, 2]], 1).float())
    mean, logvar = with_unused(code)
    expected = (math.log(2) / math.log(6) + 1.0) / 2.0
    assert chen(mean, logvar, factors) == pytest.approx(expected, abs=1e-3)
    assert mig_locatello(mean, factors) == pytest.approx(expected, abs=1e-12)


def test_G_VAE_10_chens_information_of_overlapping_posteriors():
    """Posteriors N(±1, 1) of a binary factor: I = ln 2 − E H(v | z), by quadrature."""

    def lost(z):  # density of z and entropy of the value given it, given value +1
        density = math.exp(-0.5 * (z - 1) ** 2) / math.sqrt(2 * math.pi)
        return density * math.log1p(math.exp(-2 * z))

    information = math.log(2) - quad(lost, -12, 12)[0]
    factor = torch.arange(2).repeat(100)[:, None]
    mean = torch.cat([2.0 * factor - 1.0, torch.zeros(200, 1)], 1)
    found = chen(mean, 0.0, factor, samples=20_000)
    assert found == pytest.approx(information / math.log(2), abs=0.01)


def test_G_VAE_10_locatellos_gap_sees_means_alone_in_twenty_bins():
    """Forty values in twenty bins of two: ln 20 of ln 40."""
    factor = torch.arange(40).repeat(10)[:, None]
    code = torch.cat([factor.float(), torch.zeros(400, 1)], 1)
    assert mig_locatello(code, factor) == pytest.approx(math.log(20) / math.log(40), abs=1e-12)
    assert mig_locatello(code, factor, bins=40) == pytest.approx(1.0, abs=1e-12)


def test_G_VAE_10_chens_gap_does_not_depend_on_how_much_fits_into_memory(monkeypatch):
    whole = chen(*with_unused(PERFECT + noise(3) / 2))
    monkeypatch.setattr("generative.metrics.aggregate.ENTRIES", 30_000)
    assert chen(*with_unused(PERFECT + noise(3) / 2)) == pytest.approx(whole, abs=1e-5)


def test_factors_that_do_not_vary_are_left_out():
    factors = torch.cat([torch.full((len(GRID), 1), 2), GRID], 1)
    assert chen(*with_unused(PERFECT), factors) == pytest.approx(1.0, abs=1e-3)
    assert mig_locatello(PERFECT, factors) == pytest.approx(1.0)
    assert dci(PERFECT, factors).disentanglement == pytest.approx(1.0)
    assert factor_vae_score(PERFECT, factors) == 1.0


@pytest.mark.parametrize("classifier", ["random_forest", "gradient_boosting"])
def test_G_VAE_10_dci_of_a_perfect_code_is_one(classifier):
    rows = slice(None, len(GRID) // 4)
    code = torch.cat([PERFECT, noise()], 1)[rows]
    assert dci(code, GRID[rows], classifier=classifier) == pytest.approx((1, 1, 1), abs=1e-6)


def test_G_VAE_10_dci_of_a_rotated_code_is_informative_alone():
    found = dci(ROTATED, GRID[:, :2])
    assert found.informativeness > 0.95
    assert found.disentanglement < 0.05
    assert found.completeness < 0.05


def test_G_VAE_10_dci_of_an_ignorant_code_is_chance():
    found = dci(IGNORANT, GRID)
    assert found.informativeness == pytest.approx(np.mean([1 / n for n in SIZES]), abs=0.06)
    assert found.disentanglement < 0.05


@pytest.mark.parametrize(
    ("importance", "expected"),
    [
        ([[1, 0], [0, 3]], (1.0, 1.0)),
        ([[1, 1], [1, 1]], (0.0, 0.0)),
        ([[1, 1], [0, 0]], (0.0, 1.0)),  # one latent tells both factors
        ([[1, 0], [1, 0], [0, 4]], (1.0, (2 - math.log(2) / math.log(3)) / 2)),  # one told twice
        ([[1, 1], [0, 2]], (0.5, (1 + 1 - 0.918296) / 2)),  # the entropy of 1/3, 2/3 in bits
    ],
)
def test_G_VAE_10_dci_of_importances_by_hand(importance, expected):
    assert scores(np.array(importance, float)) == pytest.approx(expected, abs=1e-6)


def test_G_VAE_10_factor_vae_score_of_a_perfect_code_is_one():
    scaled = PERFECT * torch.tensor([1.0, 5.0, 0.3])  # variances are relative
    assert factor_vae_score(torch.cat([scaled, 0.01 * noise()], 1), GRID) == 1.0


def test_G_VAE_10_factor_vae_score_does_not_depend_on_the_scales_of_a_noisy_code():
    """Scales are powers of 2, so that variances over variances are the same to the bit."""
    code = PERFECT + noise(3) / 2
    score = factor_vae_score(code, GRID)
    assert score > 0.9
    assert factor_vae_score(code * torch.tensor([1.0, 8.0, 0.5]), GRID) == score


def test_G_VAE_10_factor_vae_score_of_an_ignorant_code_is_chance():
    assert factor_vae_score(IGNORANT, GRID) == pytest.approx(1 / 3, abs=0.07)
    assert factor_vae_score(torch.zeros(len(GRID), 3), GRID) == 0.0


def test_G_VAE_10_factor_vae_score_of_a_rotated_code_is_between():
    """Of the first two factors neither can be told from the other, the third always."""
    code = torch.cat([ROTATED, PERFECT[:, 2:]], 1)
    assert factor_vae_score(code, GRID) == pytest.approx(2 / 3, abs=0.07)


def test_errors_name_what_is_wrong():
    with pytest.raises(ValueError, match="1 latents and 3 varying factors: expected at least 2"):
        mig_locatello(PERFECT[:, :1], GRID)
    with pytest.raises(ValueError, match="1 latents and 3 varying factors: expected at least 2"):
        chen(PERFECT[:, :1])
    with pytest.raises(ValueError, match="3 latents and 1 varying factors: expected 2"):
        dci(PERFECT, GRID[:, :1])
    with pytest.raises(ValueError, match="'forest': expected 'random_forest' or"):
        dci(PERFECT, GRID, classifier="forest")
    with pytest.raises(ValueError, match="1 varying factors: expected at least 2"):
        factor_vae_score(PERFECT, GRID[:, :1])
