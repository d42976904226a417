"""Sprites against the closed forms of their geometry."""

import numpy as np
import pytest

from generative.data.load import load_dataset
from generative.data.sprites import GRID, draw_sprites, heart_outline, parse_factors

EDGE = 1.0  # pixels per pixel of outline that rounding to pixel centres may add or remove


def draw(shape, scale=1.0, orientation=0.0, x=0.5, y=0.5, size=64):
    row = (np.array([value]) for value in (shape, scale, orientation, x, y))
    return draw_sprites(*row, size=size)[0]


def polygon(p):
    x, y = heart_outline(p)
    return np.stack([x, y], axis=1)


def heart_area():
    x, y = heart_outline(np.linspace(0, 2 * np.pi, 200_001))
    return abs(np.sum(x[:-1] * np.diff(y) - y[:-1] * np.diff(x))) / 2


AREA = {0: (2 * 9.6) ** 2, 1: np.pi * 12.8 * 7.2, 2: heart_area()}


@pytest.mark.parametrize("shape", AREA)
def test_areas_are_the_closed_forms_at_every_scale_and_orientation(shape):
    scale, orientation = np.meshgrid(GRID["scale"], GRID["orientation"], indexing="ij")
    rows = scale.size
    middle = np.full(rows, 0.5) + np.linspace(0, 0.03, rows)  # off the grid's symmetry
    images = draw_sprites(
        np.full(rows, shape), scale.ravel(), orientation.ravel(), middle, middle[::-1], size=64
    )
    area = (images > 0).sum((1, 2)).reshape(scale.shape)
    exact = AREA[shape] * GRID["scale"] ** 2
    # single figures within their boundary's pixels, the mean over orientations far closer
    boundary = 2 * np.pi * 12.8 * GRID["scale"]
    assert (np.abs(area - exact[:, None]) < EDGE * boundary[:, None] / 2).all()
    np.testing.assert_allclose(area.mean(1), exact, rtol=0.012)


def test_upright_square_is_a_block_of_the_closed_form_side():
    image = draw(0, scale=1.0)  # |d| < 9.6 around 32: centres 22.5 to 41.5
    expected = np.zeros((64, 64), np.uint8)
    expected[22:42, 22:42] = 255
    np.testing.assert_array_equal(image, expected)


def test_position_moves_the_centre_by_32_pixels():
    for x, y in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]:
        rows, columns = draw(1, x=x, y=y).nonzero()
        assert columns.mean() + 0.5 == 16 + 32 * x
        assert rows.mean() + 0.5 == 16 + 32 * y


def test_ellipse_is_a_pixelwise_conic():
    angle = 0.7
    dy, dx = np.mgrid[:64, :64] + 0.5 - 32
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    u, v = np.tensordot(rotation, np.stack([dx, dy]), 1) / 0.8
    inside = (u / 12.8) ** 2 + (v / 7.2) ** 2 < 1
    np.testing.assert_array_equal(draw(1, scale=0.8, orientation=angle) > 0, inside)


@pytest.mark.parametrize("orientation", [0.0, 0.4, 2.0])
def test_heart_is_the_polygon_of_its_outline(orientation):
    from matplotlib.path import Path

    outline = polygon(np.linspace(0, 2 * np.pi, 20_000))
    dy, dx = np.mgrid[:64, :64] + 0.5 - 32
    cos, sin = np.cos(orientation), np.sin(orientation)
    points = np.stack([cos * dx - sin * dy, sin * dx + cos * dy], axis=-1).reshape(-1, 2)
    inside = Path(outline).contains_points(points).reshape(64, 64)
    different = (draw(2, orientation=orientation) > 0) != inside
    assert different.sum() <= 1  # tables of 1/512 pixel


def test_figures_mirror():
    for shape in (0, 1, 2):  # all are symmetric from left to right when upright
        image = draw(shape)
        np.testing.assert_array_equal(image, image[:, ::-1])
    for shape in (0, 1):  # these from top to bottom, too
        np.testing.assert_array_equal(draw(shape), draw(shape)[::-1])
    assert (draw(2) != draw(2)[::-1]).any()
    # θ to -θ mirrors, a turn by 90° transposes the square
    np.testing.assert_array_equal(draw(2, orientation=0.5), draw(2, orientation=-0.5)[:, ::-1])
    turned = draw(0, orientation=0.3 + np.pi / 2)
    np.testing.assert_array_equal(draw(0, orientation=0.3), turned)


def test_heart_points_down_and_has_a_notch():
    image = draw(2) > 0
    rows = image.any(1).nonzero()[0]
    assert image[rows[-1]].sum() <= 2  # the tip
    assert not image[rows[0], 31:33].any()  # the notch
    assert image[rows[0]].any()
    # it ends where the outline meets itself, sin² p = (3·2.621 - 6.962)/(4·2.621)
    _, tip = heart_outline(np.pi - np.arcsin(np.sqrt((3 * 2.621 - 6.962) / (4 * 2.621))))
    middle = draw(2, x=0.5 + 1 / 64)[:, 32]  # the column of pixels through the tip
    last = middle.nonzero()[0][-1] + 0.5 - 32
    assert last <= tip < last + 1


def test_first_orientation_equals_last_as_published():
    data = load_dataset("sprites:shape,orientation")
    images = data.x.reshape(3, 40, 64, 64)
    assert (images[:, 0] == images[:, 39]).all()
    assert (images[2, 0] != images[2, 1]).any()


def test_grid_order_and_labels_are_exact():
    data = load_dataset("sprites:shape,scale=::5,x=::31,y=4:12:4", size=32)
    assert data.x.shape == (3 * 2 * 2 * 2, 1, 32, 32)
    assert data.factor_names == ("shape", "scale", "x", "y")
    expected = np.stack(np.meshgrid(range(3), range(2), range(2), range(2), indexing="ij"), -1)
    np.testing.assert_array_equal(data.factors, expected.reshape(-1, 4))
    np.testing.assert_array_equal(data.labels, data.factors[:, 0])
    assert data.class_names == ("square", "ellipse", "heart")
    for row in (0, 7, 23):
        shape, scale, x, y = data.factors[row].tolist()
        one = draw(shape, (0.5, 1.0)[scale], x=float(x), y=(4 + 4 * y) / 31, size=32)
        np.testing.assert_array_equal(data.x[row, 0], one)


def test_small_pictures_sample_the_same_figure():
    expected = np.zeros((32, 32), np.uint8)
    expected[11:21, 11:21] = 255  # centres at odd pixels: |d| = 1, 3, ..., 9 < 9.6
    np.testing.assert_array_equal(draw(0, size=32), expected)
    assert (draw(2, size=128) > 0).sum() / 4 == pytest.approx(heart_area(), rel=0.01)


def test_limit_chooses_distinct_rows_of_the_grid():
    whole = load_dataset("sprites:shape,scale,x", size=16)
    some = load_dataset("sprites:shape,scale,x", size=16, limit=50, seed=3)
    again = load_dataset("sprites:shape,scale,x", size=16, limit=50, seed=3)
    other = load_dataset("sprites:shape,scale,x", size=16, limit=50, seed=4)
    row = (some.factors * some.factors.new_tensor([6 * 32, 32, 1])).sum(1)
    assert len(row.unique()) == 50
    np.testing.assert_array_equal(some.x, whole.x[row])
    np.testing.assert_array_equal(some.factors, again.factors)
    assert (some.factors != other.factors).any()


def test_all_of_the_grid_counts_737280():
    kept = parse_factors("")
    assert np.prod([len(indices) for indices in kept.values()]) == 737_280


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sprites:shap", "did you mean 'shape'"),
        ("sprites:shape=hart,x", "did you mean 'heart'"),
        ("sprites:x=32,y", "x=32 of sprites: expected an index below 32"),
        ("sprites:x=::0,y", "expected an index below 32, or a slice"),
        ("sprites:x=9:3,y", "'x=9:3' of sprites holds no value"),
        ("sprites:x=3", "let at least one factor vary"),
    ],
)
def test_unclear_requests_are_refused(spec, message):
    with pytest.raises(ValueError, match=message):
        load_dataset(spec)


def test_too_small_a_picture_is_refused():
    with pytest.raises(ValueError, match="size is 4: expected at least 8"):
        load_dataset("sprites:x", size=4)
