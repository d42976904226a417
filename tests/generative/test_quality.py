"""Experiments on quality: one configuration, one run; rows name what is there."""

from dataclasses import replace

import pytest

from generative.benchmarks.fitted import Fitted
from generative.benchmarks.quality import ROWS
from nets.training.quality import OfFile


def size(fit):
    return {"rows": len(fit.train), "unseen": len(fit.held_out), "seed": fit.seed}


def test_a_run_is_told_by_its_settings():
    plain = Fitted("vae", "digits", size)
    config = plain.config()
    assert (config["steps"], config["settings"]["latent"]) == (5000, 10)  # preset, default
    other = replace(plain, overrides={"latent": 3, "steps": 7, "limit": 40}).config()
    assert other["settings"] == config["settings"] | {"latent": 3}
    assert (other["steps"], other["limit"]) == (7, 40)
    assert replace(plain, held_out=0.25).config() != config
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
