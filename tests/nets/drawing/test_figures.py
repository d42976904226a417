"""Limits that one wild value does not stretch, and files in the formats that are asked for."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from nets.drawing.figures import (
    as_picture,
    count_steps,
    frame,
    limit,
    reference,
    robust_limits,
    save,
    symmetric,
)
from nets.drawing.style import PAPERS, drawing, paper, styled


@pytest.fixture
def axes():
    with styled():
        return Figure().add_subplot()


def test_limits_leave_out_the_few_that_would_crush_the_others():
    curve = np.r_[-500.0, np.linspace(-110, -70, 40)]
    low, high = robust_limits(curve)
    assert -115 < low < -105
    assert -70 < high < -65
    assert robust_limits(curve, kept=[-500.0])[0] < -500
    low, high = robust_limits(np.linspace(-110, -70, 40), [*[-1600.0] * 30, -60.0])
    assert -115 < low < -105  # however much of a band is wild, lines say what matters
    assert high > -60
    spread = np.linspace(-1300, -200, 40)  # none of them is wild: all are shown
    low, high = robust_limits(spread)
    assert low < -1300
    assert high > -200
    assert robust_limits([3.0, 3.0]) == pytest.approx((2.88, 3.12))
    assert robust_limits([np.nan, np.inf]) == robust_limits([]) == (0.0, 1.0)


def test_what_is_left_out_is_told(axes):
    limit(axes, [-500.0, *range(-110, -70)])
    assert [text.get_text() for text in axes.texts] == ["↓ to -500"]


def test_all_that_is_shown_is_not_told(axes):
    limit(axes, range(40))
    assert not axes.texts


def test_a_reference_is_drawn_and_named(axes):
    reference(axes, 475.0, "solved")
    assert set(axes.lines[0].get_ydata()) == {475.0}
    assert axes.texts[0].get_text() == "solved"


@pytest.mark.parametrize(
    ("ending", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_the_ending_says_the_format_and_the_same_figure_is_the_same_file(ending, begin, tmp_path):
    files = [tmp_path / f"{k}.{ending}" for k in range(2)]
    for file in files:
        with styled():
            figure = Figure()
            figure.add_subplot().plot([0, 1], label="a line")
        save(figure, file)
    assert files[0].read_bytes().startswith(begin)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_papers_want_another_format_beside(axes, tmp_path):
    with drawing(also="svg"):
        save(axes.figure, tmp_path / "curve.png")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["curve.png", "curve.svg"]


def test_other_endings_are_refused(axes, tmp_path):
    with pytest.raises(
        ValueError, match=r"curve.jpg: expected a name that ends in .png, .svg, .pdf"
    ):
        save(axes.figure, tmp_path / "curve.jpg")


def test_a_figure_has_the_paper_of_its_theme(axes):
    with drawing("dark"), styled():
        dark = Figure(figsize=(1, 1))
    expected = np.round(255 * np.array(to_rgba(PAPERS["dark"].paper))[:3])
    assert (as_picture(dark) == expected).all()
    assert (as_picture(axes.figure)[0, 0] == 255).all()


def test_a_picture_has_a_thin_line_all_round_and_nothing_else(axes):
    axes.imshow(np.zeros((4, 4)))
    frame(axes)
    assert all(spine.get_visible() for spine in axes.spines.values())
    assert {spine.get_edgecolor() for spine in axes.spines.values()} == {to_rgba(paper().grid)}
    assert not [*axes.get_xticks(), *axes.get_yticks()]


@pytest.mark.parametrize("last", [10, 12, 15])
def test_numbers_of_steps_are_whole_and_none_is_there_twice(axes, last):
    axes.plot([10, last], [0, 1])
    count_steps(axes)
    as_picture(axes.figure)
    numbers = [text.get_text() for text in axes.get_xticklabels()]
    assert len({*numbers}) == len(numbers)
    assert [float(number) for number in numbers] == [*axes.get_xticks()]
    axes.set_xticks([7])  # places of one's own stay
    count_steps(axes)
    assert [*axes.get_xticks()] == [7]


def test_zero_is_in_the_middle_of_all_panels():
    scale = symmetric([-1.0, 0.5], [3.0])
    assert (scale["vmin"], scale["vmax"]) == (-3.0, 3.0)
    assert symmetric([0.0])["vmax"] > 0
