"""GANs learn the ring: modes found, samples near them, none a copy; and what collapses."""

import pytest

from generative.benchmarks.ring import main, measured, train_variant
from generative.data import ring
from generative.metrics.neighbours import nearest_neighbours
from nets.training.seeding import seeded


@pytest.mark.slow
def test_G_GAN_06_a_gan_finds_all_modes_and_copies_no_datum():
    outcome, trainer = train_variant("gan", seed=1, steps=3500)
    assert outcome.modes == 8
    assert outcome.high_quality > 0.9
    with seeded(0):
        samples = trainer.trained.sample(1000)
    distance, _ = nearest_neighbours(samples, ring().x)
    assert distance.min() > 0.0  # G-GAN-10: new data, not those it was shown
    assert distance.median() < 0.05


@pytest.mark.slow
def test_G_GAN_08_wgan_gp_finds_all_modes():
    outcome, _ = train_variant("wgan-gp", seed=0, steps=3500)
    assert outcome.modes == 8
    assert outcome.high_quality > 0.9


def test_G_GAN_06_an_untrained_generator_covers_no_mode():
    outcome, trainer = train_variant("gan", seed=0, steps=1)
    assert outcome.modes == 0
    assert outcome.high_quality == 0.0
    assert measured(trainer.trained) == measured(trainer.trained)


def test_G_GAN_09_every_variant_of_the_ablation_trains(tmp_path, capsys):
    files = ["--out", str(tmp_path / "ring.json"), "--picture", str(tmp_path / "ring.png")]
    assert main(["--steps", "2", *files]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 10
    assert (tmp_path / "ring.json").read_text(encoding="utf-8").count('"variant"') == 9
    assert (tmp_path / "ring.png").stat().st_size > 10_000


@pytest.mark.parametrize("words", [["gann"], ["gan", "--seeds", "0"]])
def test_unknown_variants_and_no_seeds_are_refused(words, capsys):
    assert main(words) == 2
    assert "expected one seed or more of gan, saturating" in capsys.readouterr().err
