"""What people look for by a word of their own stands in a section with that word."""

import re

import pytest
from printed_blocks import PAGES

SOUGHT = {
    "NaN loss": "faq.md The loss is NaN, or training stops with `Diverged`",
    "not learning": "faq.md It does not learn",
    "slow": "faq.md It is slow",
    "dropout ensemble": "nets.md Regularisation",
    "dropout sub-networks": "nets.md Regularisation",
    "gan uniform noise": "generative/gans.md Settings",
    "gan sensitive hyperparameters": "generative/gans.md Sensitivity to settings",
    "gans unstable": "generative/gans.md Sensitivity to settings",
    "decision boundary hidden layers": "gallery.md Decision regions",
    "momentum terminal velocity": "gallery.md Speed down a constant slope",
    "adagrad dying rate": "gallery.md Speed down a constant slope",
    "rnn skip connections": "gallery.md Gradients through time",
    "high bias underfitting": "training.md Bias before variance",
    "wrong metric": "training.md Another metric, another dev set",
    "development set": "training.md Another metric, another dev set",
    "gradient check": "nets.md Looking inside",
    "grad_check": "nets.md Looking inside",
    "perceptron": "nets.md Looking inside",
    "multi-task learning": "nets.md Looking inside",
    "MultiTask": "nets.md Looking inside",
    "GRU reset_after": "nets.md Looking inside",
    "moving_average": "nets.md Looking inside",
    "count_nonzero": "nets.md Looking inside",
    "dead units relu": "nets.md Looking inside",
    "dead_unit_fraction": "nets.md Looking inside",
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
