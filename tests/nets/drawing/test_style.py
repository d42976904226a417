"""Colours that everybody can tell apart, the same name in the same colour, papers with contrast."""

from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from nets.drawing.style import COLOURS_OF, PALETTE, PAPERS, drawing, looks, paper, styled

# Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* of linear RGB, under daylight."""
    xyz = TO_XYZ @ rgb / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_differ_whoever_looks(kind):
    """A difference of 2.3 is just seen; matplotlib's own first eight come as near as 3.6."""
    seen = [lab(np.clip(BLINDNESS[kind] @ linear(colour), 0, 1)) for colour in PALETTE]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15.0


@pytest.mark.parametrize("theme", PAPERS)
def test_ink_stands_out_from_paper(theme):
    light, dark = sorted(
        (float(TO_XYZ[1] @ linear(c)) for c in (PAPERS[theme].ink, PAPERS[theme].paper)),
        reverse=True,
    )
    assert (light + 0.05) / (dark + 0.05) > 7.0  # WCAG's AAA


def test_an_algorithm_has_one_colour_whoever_it_is_compared_with():
    alone, beside, reversed_ = (
        looks(names) for names in (["ppo"], ["dqn", "a2c", "ppo"], ["ppo", "a2c", "dqn"])
    )
    assert alone["ppo"] == beside["ppo"] == reversed_["ppo"] == (COLOURS_OF["ppo"], "-")
    assert beside == reversed_
    several = looks(["sb3-ppo", "ppo", "dqn:encoder=mlp", "dqn"])
    assert several["ppo"] == (COLOURS_OF["ppo"], "-")
    assert several["sb3-ppo"] == (COLOURS_OF["ppo"], "--")
    assert several["dqn:encoder=mlp"] == (COLOURS_OF["dqn"], "--")


@pytest.mark.parametrize("count", [1, 3, 8, 9, 20, 60])
def test_no_two_lines_look_alike(count):
    for names in (
        [f"dqn:n-step={k}" for k in range(count)],
        [f"a thing {k}" for k in range(count)],
        ["ppo", *(f"a thing {k}" for k in range(count))],
    ):
        assert len(set(looks(names).values())) == len(names)
    Figure().add_subplot().plot([0, 1], linestyle=looks(names)[names[-1]][1])  # one that is taken
    variants = looks(["dqn", *(f"dqn:n-step={k}" for k in range(5))])
    assert variants["dqn"] == (COLOURS_OF["dqn"], "-")
    assert len({colour for colour, _ in variants.values()}) == 6


def test_matplotlib_is_left_as_it_was():
    before = dict(matplotlib.rcParams)
    with drawing("dark"), styled():
        figure = Figure()
    assert dict(matplotlib.rcParams) == before
    assert figure.get_facecolor() == matplotlib.colors.to_rgba(PAPERS["dark"].paper)
    assert paper() is PAPERS["light"]
