"""What people look for by a word of their own stands in a section with that word."""

import re

import pytest
from printed_blocks import PAGES

INSIDE = "nets.md Looking inside: gradient check, dead units"
SOUGHT = {
    "NaN loss": "faq.md The loss is NaN, or training stops with `Diverged`",
    "not learning": "faq.md It does not learn",
    "slow": "faq.md It is slow",
    "dropout ensemble": "nets.md Regularisation",
    "dropout sub-networks": "nets.md Regularisation",
    "gan uniform noise": "generative/gans.md A GAN's prior: normal or uniform",
    "share run model hub": "travelling.md Share a run on a model hub",
    "gan sensitive hyperparameters": "generative/gans.md Sensitivity to settings",
    "gans unstable": "generative/gans.md Sensitivity to settings",
    "decision boundary hidden layers": "gallery.md Decision regions",
    "momentum terminal velocity": "gallery.md Speed down a constant slope",
    "adagrad dying rate": "gallery.md Speed down a constant slope",
    "rnn skip connections": "gallery.md Gradients through time",
    "high bias underfitting": "training.md Bias before variance",
    "wrong metric": "training.md Another metric, another dev set",
    "development set": "training.md Another metric, another dev set",
    "gradient check": INSIDE,
    "grad_check": INSIDE,
    "perceptron": INSIDE,
    "multi-task learning": INSIDE,
    "MultiTask": INSIDE,
    "GRU reset_after": INSIDE,
    "moving_average": INSIDE,
    "count_nonzero": INSIDE,
    "dead units relu": INSIDE,
    "dead_unit_fraction": INSIDE,
}


def sections():
    """Return the text of every section of the pages, by page and heading."""
    found = {}
    for page, path in PAGES.items():
        parts = re.split(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for heading, text in zip(parts[1::2], parts[2::2], strict=True):
            found[f"{page.removeprefix('docs/')} {heading}"] = f"{heading}\n{text}".lower()
    return found


SECTIONS = sections()


@pytest.mark.parametrize("words", SOUGHT)
def test_a_section_has_the_words_that_it_is_sought_by(words):
    text = SECTIONS[SOUGHT[words]]
    assert [word for word in words.lower().split() if word not in text] == []
