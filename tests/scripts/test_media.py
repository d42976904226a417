"""Pictures of episodes and learning curves."""

import sys

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from agents.outcomes.curves import draw_curve, smooth
from agents.outcomes.media import fit, save_gif, save_mp4, save_sheet, thin
from agents.outcomes.playing import Frame
from nets.runs.metrics import read_metrics


def film(count, height=20, width=30):
    """Frames of different grey, so that none looks like its neighbour."""
    for step in range(count):
        picture = np.full((height, width, 3), step * 40 % 256, np.uint8)
        yield Frame(picture, 0, step, float(step))


@given(st.integers(0, 2000), st.integers(2, 160))
def test_thinned_streams_keep_both_ends_at_even_distances(count, limit):
    kept, every = thin(iter(range(count)), limit)
    assert len(kept) <= limit
    if not count:
        assert kept == []
        return
    assert kept[0] == 0
    assert kept[-1] == count - 1
    assert kept[:-1] == list(range(0, count - 1, every))
    if every > 1:
        assert len(kept) >= limit // 2  # no more is thrown away than needed


@pytest.mark.parametrize("count", [10, 1000])
def test_animation_keeps_the_speed_of_the_original(count, tmp_path):
    save_gif(tmp_path / "a.gif", film(count), rate=50)
    with Image.open(tmp_path / "a.gif") as gif:
        frames = gif.n_frames
        durations = []
        for k in range(frames):
            gif.seek(k)
            durations.append(gif.info["duration"])
        assert gif.info["loop"] == 0  # for ever
    assert frames <= 150
    assert frames == 10 if count == 10 else frames >= 75
    assert durations[-1] == 1000
    assert sum(durations[:-1]) / 1000 == pytest.approx(count / 50, rel=0.12)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no sizes of files")
@pytest.mark.parametrize("room", [0, 1000, 3000])
def test_a_film_that_has_no_room_is_an_error_and_leaves_nothing(tmp_path, room):
    import resource

    save_mp4(tmp_path / "whole.mp4", film(40), rate=10)
    assert (tmp_path / "whole.mp4").stat().st_size > 3000
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(OSError, match="could not be written to its end") as error:
            save_mp4(tmp_path / "a.mp4", film(40), rate=10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.value.filename == str(tmp_path / "a.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["whole.mp4"]


def test_odd_sizes_become_films(tmp_path, read_film, caplog):
    save_mp4(tmp_path / "a.mp4", film(5, height=1081, width=676), rate=10)
    frames, rate = read_film(tmp_path / "a.mp4")
    assert (frames.shape, rate) == ((5, 1080, 676, 3), 10)
    save_mp4(tmp_path / "b.mp4", film(3, height=701, width=333), rate=10)
    assert read_film(tmp_path / "b.mp4")[0].shape == (3, 702, 334, 3)
    assert not caplog.records  # the writer had nothing to rescale


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((800, 600), (400, 300)),
        ((10, 5), (400, 200)),
        ((300, 400), (300, 400)),
        ((3, 900), (1, 400)),
    ],
)
def test_pictures_fit_without_distortion(shape, expected):
    assert fit(np.zeros((*shape, 3), np.uint8), 400).shape == (*expected, 3)


def test_small_pictures_are_enlarged_exactly():
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    large = fit(picture, 5)
    np.testing.assert_array_equal(large[::2, ::2], picture)
    np.testing.assert_array_equal(large[1::2, 1::2], picture)


def test_sheet_of_a_one_frame_episode(tmp_path):
    save_sheet(tmp_path / "s.png", film(1, height=100, width=50))
    assert iio.imread(tmp_path / "s.png").shape == (10 + 20 + 200 + 10, 10 + 150 + 10, 3)


def test_smoothing_is_the_mean_of_the_neighbours():
    values = np.random.default_rng(0).normal(size=40)
    for window in (1, 5, 11):
        half = window // 2
        expected = [values[max(0, k - half) : k + half + 1].mean() for k in range(40)]
        np.testing.assert_allclose(smooth(values, window), expected)
    few = [values[:2].mean(), values[:3].mean(), values[1:3].mean()]
    np.testing.assert_allclose(smooth(values[:3], 11), few)


def test_metrics_are_read_by_column_without_their_gaps(tmp_path):
    file = tmp_path / "metrics.csv"
    file.write_text("step,return,loss\n10,1.5,\n20,,0.25\n30,2.5,0.5\n")
    metrics = read_metrics(file)
    np.testing.assert_array_equal(metrics["return"], [[10, 30], [1.5, 2.5]])
    np.testing.assert_array_equal(metrics["loss"], [[20, 30], [0.25, 0.5]])


@pytest.mark.parametrize(
    "text",
    [
        "step\n",
        "step,episodes\n10,0\n",
        "step,return\n10,1\n",
        "step,eval_return,eval_std\n10,1,0.5\n20,2,0.5\n",
        "step,loss\n10,0\n20,0\n",
        "step,loss\n10,-1\n20,100\n",
        "step,return,raw_return,eval_return,eval_std,eval_raw_return\n10,1,8,1,0.5,9\n",
        "step,residual\n1,1\n2,0.001\n3,0\n",
    ],
)
def test_curve_of_whatever_was_measured(text, tmp_path):
    (tmp_path / "metrics.csv").write_text(text)
    draw_curve(tmp_path / "metrics.csv", tmp_path / "curve.png", "title")
    assert iio.imread(tmp_path / "curve.png").shape[1] == 960
