"""Latent paths by hand, layouts pixel by pixel, files that read back."""

import math
import sys

import numpy as np
import pytest
import torch
from known_models import Line, build, pictures
from PIL import Image, ImageSequence

from generative.gallery import draw
from generative.gallery.charts import curves, latent_scatter, running_mean
from generative.gallery.grids import GAP, as_pictures, compare, film, grid, rows, save
from generative.gallery.paths import linear_path, spherical_path, traversals
from nets.drawing.style import PAPERS, drawing

PAPER = tuple(bytes.fromhex(PAPERS["light"].sheet[1:]))


def test_linear_path_by_hand():
    path = linear_path(torch.tensor([0.0, 4.0]), torch.tensor([2.0, 0.0]), 3)
    assert path.tolist() == [[0, 4], [1, 2], [2, 0]]


def test_spherical_path_by_hand():
    x, y = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    path = spherical_path(x, y, 4)  # a quarter circle in three parts: 0°, 30°, 60°, 90°
    half, long = 0.5, math.sqrt(3) / 2
    expected = torch.tensor([[1, 0], [long, half], [half, long], [0, 1]])
    torch.testing.assert_close(path, expected)
    # other lengths keep the weights sin((1 - t)Ω)/sin Ω and sin(tΩ)/sin Ω
    torch.testing.assert_close(spherical_path(2 * x, 3 * y, 4), expected * torch.tensor([2, 3]))


def test_spherical_path_keeps_to_the_sphere_where_the_line_does_not():
    start, end = torch.nn.functional.normalize(torch.randn(2, 5, 16), dim=-1)
    arc, line = spherical_path(start, end, 7), linear_path(start, end, 7)
    assert arc.shape == line.shape == (7, 5, 16)
    torch.testing.assert_close(arc.norm(dim=-1), torch.ones(7, 5))
    assert (line[3].norm(dim=-1) < 0.95).all()
    torch.testing.assert_close(arc[[0, -1]], torch.stack([start, end]))
    for k in range(5):  # every row is a path of its own
        torch.testing.assert_close(arc[:, k], spherical_path(start[k], end[k], 7))


def test_spherical_path_of_parallel_and_opposite_vectors():
    z = torch.tensor([1.0, 2.0])
    assert spherical_path(z, 3 * z, 3).tolist() == [[1, 2], [2, 4], [3, 6]]
    assert spherical_path(0 * z, 0 * z, 2).isfinite().all()
    with pytest.raises(ValueError, match="opposite"):
        spherical_path(z, -2 * z, 3)


def test_paths_refuse_what_joins_nothing():
    z = torch.zeros(3)
    for path in (linear_path, spherical_path):
        with pytest.raises(ValueError, match="1 steps: expected at least 2"):
            path(z, z, 1)
        with pytest.raises(ValueError, match=r"from shape \[3\] to \[2\]"):
            path(z, z[:2], 3)


def test_traversals_by_hand():
    z = torch.tensor([5.0, 6.0])
    paths = traversals(z, torch.tensor([-1.0, 1.0]))
    assert paths.tolist() == [[[-1, 6], [1, 6]], [[5, -1], [5, 1]]]
    assert traversals(z, torch.tensor([0.0]), [1]).tolist() == [[[5, 0]]]
    assert z.tolist() == [5, 6]


def test_pictures_are_bytes_with_three_channels():
    x = torch.tensor([[[[0.0, 0.5], [1.0, 2.0]]]])  # out of range is cut
    assert as_pictures(x)[0, :, :, 0].tolist() == [[0, 128], [255, 255]]
    assert as_pictures(x).shape == (1, 2, 2, 3)
    colour = torch.randint(256, (4, 5, 3, 2, 6), dtype=torch.uint8)
    np.testing.assert_array_equal(as_pictures(colour), colour.permute(0, 1, 3, 4, 2))
    with pytest.raises(ValueError, match=r"shape \[2, 2\]"):
        as_pictures(torch.zeros(2, 2))
    with pytest.raises(TypeError, match=r"torch\.int64"):
        as_pictures(torch.zeros(1, 2, 2, dtype=torch.int64))


def cell(sheet, row, column, height, width):
    top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
    return sheet[top : top + height, left : left + width]


def test_grid_in_reading_order_and_crisp():
    x = torch.randint(256, (5, 3, 2, 4), dtype=torch.uint8)
    sheet = grid(x, 3, zoom=2)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (2 * (4 + GAP) + GAP, 3 * (8 + GAP) + GAP, 3)
    for index in range(5):
        shown = cell(sheet, *divmod(index, 3), 4, 8)
        np.testing.assert_array_equal(shown[::2, ::2], x[index].permute(1, 2, 0))
        np.testing.assert_array_equal(shown[::2], shown[1::2])
    assert (cell(sheet, 1, 2, 4, 8) == PAPER).all()  # no sixth picture
    assert (sheet[:GAP] == PAPER).all()


def test_grid_is_about_square_and_small_pictures_grow():
    square = grid(torch.zeros(64, 1, 8, 8))
    assert square.shape[0] == square.shape[1] == 8 * (64 + GAP) + GAP
    tall = grid(torch.zeros(32, 1, 20, 10), zoom=1)  # 8 columns of 4
    assert tall.shape == (4 * (20 + GAP) + GAP, 8 * (10 + GAP) + GAP, 3)


def test_copies_stand_below_their_originals():
    originals = torch.arange(6, dtype=torch.uint8).reshape(6, 1, 1, 1).expand(6, 1, 2, 2) * 10
    picture = compare(originals, 255 - originals, columns=4)
    shown = [c for c in np.unique(picture.reshape(-1, 3), axis=0).tolist() if c != list(PAPER)]
    assert len(shown) == 12
    column = picture[:, GAP + 4, 0].tolist()  # through the first pair of each band
    assert [v for v in dict.fromkeys(column) if v != PAPER[0]] == [0, 255, 40, 215]
    with pytest.raises(ValueError, match="originals are"):
        compare(originals, originals[:3])


def test_rows_hold_paths_and_names():
    x = torch.rand(2, 3, 1, 4, 4)
    plain, named = rows(x), rows(x, ["position", "angle"])
    margin = named.shape[1] - plain.shape[1]
    np.testing.assert_array_equal(named[:, margin:], plain)
    np.testing.assert_array_equal(plain, grid(x.flatten(0, 1), 3))
    assert (named[:, :margin] != PAPER).any()  # something is written
    with pytest.raises(ValueError, match="1 names for 2 rows"):
        rows(x, ["position"])


def test_film_goes_there_and_back():
    x = torch.rand(4, 2, 1, 3, 3)
    moments = film(x)
    assert len(moments) == 6
    np.testing.assert_array_equal(moments[2], grid(x[2]))
    np.testing.assert_array_equal(moments[4], moments[2])
    np.testing.assert_array_equal(moments[5], moments[1])
    assert len(film(x, pendulum=False)) == 4


def test_png_and_gif_read_back(tmp_path):
    sheet = grid(torch.rand(4, 3, 8, 8))
    save(tmp_path / "new" / "sheet.png", sheet)
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "new" / "sheet.png")), sheet)
    greys = (torch.arange(5)[:, None, None, None, None] / 4).expand(5, 1, 1, 8, 8)
    save(tmp_path / "film.gif", film(greys), fps=10)
    with Image.open(tmp_path / "film.gif") as image:
        assert (image.n_frames, image.info["duration"], image.info["loop"]) == (8, 100, 0)
        frames = [np.array(f.convert("RGB")) for f in ImageSequence.Iterator(image)]
    np.testing.assert_array_equal(np.stack(frames), film(greys))
    assert not list(tmp_path.glob(".*"))  # no temporary file is left


@pytest.mark.parametrize(("name", "shape"), [("a.gif", (4, 4, 3)), ("a.png", (2, 4, 4, 3))])
def test_suffixes_that_do_not_suit_are_refused(tmp_path, name, shape):
    with pytest.raises(ValueError, match=r"expected \.png for"):
        save(tmp_path / name, np.zeros(shape, np.uint8))
    assert not list(tmp_path.iterdir())


def test_a_model_without_latents_has_none_to_draw():
    data = pictures()
    model = build(Line, data=data)
    for function in (draw.traversals, draw.interpolated):
        with pytest.raises(draw.Undrawable, match=r"a line of .* makes no pictures of latents"):
            function(model, data)
    with pytest.raises(draw.Undrawable, match="has no reconstructions"):
        draw.reconstructions(model, data)


def dots(figure):
    """The points of each colour, and the names in the legend."""
    (axes, *_) = figure.axes
    shown = [each.get_offsets().data for each in axes.collections]
    return shown, axes.get_legend_handles_labels()[1]


def test_scatter_chooses_the_dimensions_that_vary():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(300, 4, generator=generator) * torch.tensor([0.1, 3.0, 0.2, 2.0])
    classes = (z[:, 1] > 0).long()
    (left, right), names = dots(latent_scatter(z, classes, names=["left", "right"]))
    assert names == ["left", "right"]
    np.testing.assert_array_equal(left, z[classes == 0][:, [1, 3]])
    np.testing.assert_array_equal(right, z[classes == 1][:, [1, 3]])
    (other, _), _ = dots(latent_scatter(z, classes, names=["left", "right"], dimensions=(0, 2)))
    np.testing.assert_array_equal(other, z[classes == 0][:, [0, 2]])
    continuous = latent_scatter(z, z[:, 1])
    assert len(dots(continuous)[0]) == 1
    assert len(continuous.axes) == 2  # a scale instead of a legend
    with pytest.raises(ValueError, match=r"shape \[300, 1\]"):
        latent_scatter(z[:, :1], classes)
    with pytest.raises(ValueError, match=r"values of \[299\]"):
        latent_scatter(z, classes[1:])


def test_ten_classes_look_different():
    z, classes = torch.rand(100, 2), torch.arange(100) % 10
    (axes,) = latent_scatter(z, classes).axes
    looks = {
        (tuple(each.get_facecolor()[0]), len(each.get_paths()[0].vertices))
        for each in axes.collections
    }
    assert len(looks) == 10


def test_curves_draw_a_panel_per_metric():
    steps = np.arange(100)
    metrics = {f"m{k}": (steps, np.sin(steps / 10) + k) for k in range(4)}
    figure = curves(metrics, title="all")
    assert [axes.get_title() for axes in figure.axes] == list(metrics)
    assert len(curves({"m0": metrics["m0"]}).axes) == 1
    with pytest.raises(ValueError, match="no metrics"):
        curves({})


def test_dark_sheets_have_dark_paper():
    dot = torch.ones(1, 1, 2, 2)
    with drawing("dark"):
        dark = grid(dot)
    assert dark[0, 0].max() < 64 < 192 < grid(dot)[0, 0].min()


def test_running_mean_by_hand():
    middle, mean = running_mean([0, 1, 2, 3, 4] * 3, [0, 3, 6, 9, 12] * 3, window=3)
    assert len(mean) == 13
    assert middle[:2].tolist() == pytest.approx([1, 2])
    assert mean[:2].tolist() == pytest.approx([3, 6])
    assert running_mean([7], [5.0])[1].tolist() == [5.0]  # short curves are as they are


def test_charts_leave_pyplot_alone(monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    curves({"loss": ([0, 1], [1.0, 0.5])})
    latent_scatter(torch.rand(20, 2), torch.arange(20))
    assert "matplotlib.pyplot" not in sys.modules
