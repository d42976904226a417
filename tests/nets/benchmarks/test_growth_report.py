"""The figure of growth: every size has its number, no legend lies on a line."""

import pytest

from nets.benchmarks.growth import Growth, Point
from nets.benchmarks.growth_report import draw
from nets.drawing.figures import as_picture

ABOUT = {"processor": "A processor", "torch_threads": 1}


def measured(name):
    growth = Growth(name, "Training of models", "pixels", "images/s", "the products", ())
    lines = {"wide": (8, 16, 32), "a line of a longer name": (16, 32), "third": (32, 64)}
    return growth, {
        each: [Point(size, 3000.0 + 9 * size, 5000.0) for size in sizes]
        for each, sizes in lines.items()
    }


@pytest.mark.parametrize("count", [1, 3])
def test_panels_are_numbered_and_legends_hide_nothing(count, monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr("nets.benchmarks.growth_report.save", lambda *given: figures.append(given))
    draw([measured(f"growth {k}") for k in range(count)], ABOUT, tmp_path / "growth.png")
    ((figure, _),) = figures
    as_picture(figure)  # lays it out
    panels = [axes for axes in figure.axes if axes.axison]
    for axes in panels:
        assert [text.get_text() for text in axes.get_xticklabels()] == ["8", "16", "32", "64"]
        low, high = axes.get_ylim()
        assert high / low >= 10.0  # a decade has a number at either end
        legend = axes.get_legend().get_window_extent()
        assert not legend.overlaps(axes.get_window_extent())
    assert len(figure.axes) - len(panels) == count % 2 * (count > 1)  # which tells of the machine
    told = [text.get_text() for axes in figure.axes for text in axes.texts] + [
        figure.get_suptitle()
    ]
    assert sum("A processor" in text for text in told) == 1
