"""Charts: each name in its colour, an interval only where there are several seeds."""

import io

import numpy as np
import pytest

from generative.gallery import charts
from nets.drawing.style import COLOURS_OF


def shown(steps, lines):
    """The medians of the lines, and where their bands reach."""
    (axes,) = charts.bands(steps, lines, ylabel="return").axes
    medians = [line.get_ydata() for line in axes.lines]
    spans = [each.get_paths() for each in axes.collections]
    reach = [path.get_extents().extents[[1, 3]] for paths in spans for path in paths]
    return axes, medians, reach


def test_bands_show_the_median_and_all_that_was_reached():
    low, high = [0.0, 1.0, 2.0], [2.0, 3.0, 4.0]
    axes, (median,), reach = shown([1, 2, 3], {"model-free": [low, high, high]})
    np.testing.assert_array_equal(median, high)
    assert (np.min(reach), np.max(reach)) == (0.0, 4.0)
    assert axes.lines[0].get_color() == COLOURS_OF["model-free"]
    assert axes.lines[0].get_label() == "model-free (n = 3, median and range)"


def test_a_single_seed_has_no_band():
    axes, _, reach = shown([1, 2, 3], {"model-free": [[2.0, 3.0, 4.0]]})
    assert not reach
    assert axes.lines[0].get_label() == "model-free (n = 1)"


def test_what_was_reached_in_a_single_step_is_shown_too():
    _, _, reach = shown([1], {"dreams": [[0.0], [1.0], [2.0]]})
    assert (np.min(reach), np.max(reach)) == (0.0, 2.0)


@pytest.mark.parametrize("name", ["caf\udce9", "$_{$", "50 $ and $\\frac{$"])
def test_whatever_files_and_classes_are_called_is_drawn(name):
    """Names in another encoding, and what would be a formula."""
    at = np.arange(2.0)
    charts.curves({"loss": (at, at)}, title=name).savefig(io.BytesIO())
    charts.latent_scatter(np.eye(2), at, names=(name, "b"), title=name).savefig(io.BytesIO())
