"""Data sets: their parts, their moments, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from generative.data.dataset import DataNote, Dataset
from generative.data.load import load_dataset
from generative.data.pictures import Fit, resize, resized
from generative.data.small import RING_STD, ring_means
from nets.process.seeding import seeded


def pictures(rows=10, channels=1, side=4):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (rows, channels, side, side), generator=generator, dtype=torch.uint8)


def labelled():
    factors = torch.arange(10)[:, None]
    return Dataset("ten", pictures(), torch.arange(10) % 2, ("even", "odd"), factors, ("number",))


def test_batch_scales_bytes_and_keeps_labels():
    data = labelled()
    batch = data.batch(torch.tensor([3, 3, 8]))
    np.testing.assert_array_equal(batch.x, data.x.numpy()[[3, 3, 8]].astype(np.float32) / 255)
    assert batch.x.dtype == torch.float32
    assert batch.label.tolist() == [1, 1, 0]
    floats = Dataset("floats", torch.rand(5, 2))
    assert floats.batch(slice(1, 3)).x.tolist() == floats.x[1:3].tolist()
    assert floats.batch(slice(1, 3)).label is None


def test_batch_leaves_the_data_alone():
    floats = Dataset("floats", torch.ones(5, 2))
    floats.batch(slice(None)).x.clone().zero_()
    data = labelled()
    before = data.x.clone()
    data.batch(torch.arange(10)).x.zero_()
    assert torch.equal(data.x, before)


def test_description():
    data = labelled()
    assert (len(data), data.shape, data.num_classes) == (10, (1, 4, 4), 2)
    assert Dataset("points", torch.rand(5, 2)).num_classes is None


def test_split_deals_every_row_once_and_repeats():
    data = labelled()
    train, held_out = data.split(0.3, seed=1)
    assert (len(train), len(held_out)) == (7, 3)
    numbers = torch.cat([train.factors, held_out.factors])[:, 0]
    assert sorted(numbers.tolist()) == list(range(10))
    assert numbers.tolist() != list(range(10))
    for part in (train, held_out):  # rows stay together
        number = part.factors[:, 0]
        assert torch.equal(part.x, data.x[number])
        assert torch.equal(part.labels, number % 2)
    assert torch.equal(held_out.x, data.split(0.3, seed=1)[1].x)
    assert not torch.equal(held_out.factors, data.split(0.3, seed=2)[1].factors)


def test_split_leaves_a_row_of_each_class_to_train_on():
    labels = torch.tensor([0] * 7 + [1] + [2] * 2)
    data = Dataset("rare", torch.rand(10, 2), labels, ("a", "b", "c"))
    for seed in range(40):
        train, held_out = data.split(0.2, seed=seed)
        assert sorted(set(train.labels.tolist())) == [0, 1, 2]
        assert sorted([*train.x[:, 0], *held_out.x[:, 0]]) == sorted(data.x[:, 0])
        assert len(held_out) == 2
    every = replace(data, labels=torch.arange(10), class_names=tuple("abcdefghij"))
    assert len(every.split(0.01)[1]) == 1  # there are too few rows to leave one of each


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.0])
def test_split_refuses_an_empty_part(fraction):
    with pytest.raises(ValueError, match="at least one row in either part"):
        labelled().split(fraction)


def test_split_leaves_global_chance_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    labelled().split(0.5, seed=7)
    load_dataset("ring", limit=5)
    assert torch.equal(torch.rand(1), expected)


def test_meta_device_follows():
    batch = labelled().to("meta").batch(torch.zeros(3, dtype=torch.int64, device="meta"))
    assert batch.x.device.type == batch.label.device.type == "meta"
    assert batch.x.shape == (3, 1, 4, 4)


@pytest.mark.cuda
def test_batches_stay_on_the_gpu():
    data = labelled().to("cuda")
    index = torch.tensor([1, 2], device="cuda")
    with torch.cuda.device(0):
        torch.cuda.set_sync_debug_mode("error")
        try:
            batch = data.batch(index)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert batch.x.device.type == "cuda"
    assert torch.equal(batch.x.cpu(), labelled().batch(index.cpu()).x)


FLOATS = torch.rand(5, 2)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"x": FLOATS.double()}, "bad: values are torch.float64"),
        ({"x": FLOATS.byte()}, r"bad: torch.uint8 values have shape \[5, 2\]"),
        ({"x": torch.rand(5, 3, 4)}, r"shape \[5, 3, 4\], expected \[N, C, H, W\]"),
        ({"x": FLOATS[:0]}, r"bad is empty: shape \[0, 2\]"),
        ({"x": FLOATS.clone().index_fill_(0, torch.tensor(3), torch.nan)}, "row 3 holds NaN"),
        ({"x": torch.full((2, 1, 2, 2), 255.0)}, r"range from 255 to 255, expected \[0, 1\]"),
        ({"x": FLOATS, "labels": torch.zeros(4, dtype=torch.int64)}, r"\[4\] for 5 rows"),
        ({"x": FLOATS, "labels": torch.zeros(5)}, "labels are torch.float32"),
        (
            {"x": FLOATS, "labels": torch.arange(5), "class_names": ("a", "b")},
            r"labels range from 0 to 4, expected 0\.\.1",
        ),
        ({"x": FLOATS, "factor_names": ("a",)}, "0 factors with the names"),
    ],
)
def test_unfit_parts_are_refused(parts, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Dataset("bad", **parts)


def test_ring_has_the_moments_of_its_mixture():
    data = load_dataset("ring", limit=40_000, seed=5)
    x, labels = data.x.double().numpy(), data.labels.numpy()
    assert data.x.dtype == torch.float32
    # E x = 0; Cov x = (r²/2 + σ²) I by the symmetry of the circle
    np.testing.assert_allclose(x.mean(0), 0, atol=0.03)
    np.testing.assert_allclose(np.cov(x.T), (2.0 + RING_STD**2) * np.eye(2), atol=0.03)
    for k in range(8):
        angle = k * np.pi / 4
        mode = x[labels == k]
        assert len(mode) == pytest.approx(5000, abs=300)
        np.testing.assert_allclose(mode.mean(0), [2 * np.cos(angle), 2 * np.sin(angle)], atol=3e-3)
        np.testing.assert_allclose(mode.std(0), RING_STD, rtol=0.05)


def test_ring_of_other_sizes():
    data = load_dataset("ring:3", limit=30)
    assert len(data) == 30
    assert data.num_classes == 3
    np.testing.assert_allclose(np.linalg.norm(ring_means(3), axis=1), 2.0)
    assert len(load_dataset("ring")) == 10_000


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    data = load_dataset("digits")
    found = load_digits()
    assert data.x.shape == (1797, 1, 8, 8)
    np.testing.assert_allclose(data.batch(slice(None)).x[:, 0] * 16, found.images, atol=0.04)
    np.testing.assert_array_equal(data.labels, found.target)
    assert load_dataset("digits", size=32, limit=7).x.shape == (7, 1, 32, 32)


def test_binarized_pixels_are_drawn_anew_with_their_values_as_probabilities():
    plain = load_dataset("digits", limit=30, seed=3)
    data = replace(plain, binarized=True)
    with seeded(0):
        draws = torch.stack([data.batch(slice(None)).x for _ in range(1000)])  # [1000, 30, 1, 8, 8]
    with seeded(0):
        assert torch.equal(data.batch(slice(None)).x, draws[0])
    assert draws.unique().tolist() == [0.0, 1.0]
    assert not torch.equal(draws[0], draws[1])
    p = plain.batch(slice(None)).x
    off = (draws.mean(0) - p).abs() / (p * (1 - p) / 1000 + 1e-9).sqrt()  # standard errors
    assert off.max() < 5.0
    train, held_out = data.split(0.5)
    assert train.binarized
    assert held_out.binarized


def test_vectors_are_not_binarized():
    with pytest.raises(ValueError, match="ring: only pictures can be binarized"):
        replace(load_dataset("ring", limit=8), binarized=True)


def test_smaller_pictures_average_and_larger_repeat():
    x = torch.tensor([[0, 100, 0, 2], [50, 50, 3, 6]], dtype=torch.uint8)[None, None]
    assert resized(x, 1, 2).tolist() == [[[[50, 3]]]]
    assert resized(x[..., :2], 4, 4)[0, 0].tolist() == [
        [0, 0, 100, 100],
        [0, 0, 100, 100],
        [50, 50, 50, 50],
        [50, 50, 50, 50],
    ]
    half = torch.rand(3, 2, 6, 6)
    for window in (2, 3, (3, 2), (6, 1)):  # at 2 linear interpolation gives the mean, too
        means = torch.nn.AvgPool2d(window)(half)
        torch.testing.assert_close(resized(half, *means.shape[2:]), means)
    assert resized(x, 2, 4) is x


def test_pictures_grow_along_lines_between_pixels():
    """Pixels of thirds have their centres at 1/6, 1/2, 5/6, those of halves at 1/4 and 3/4."""
    x = torch.tensor([[0, 60], [120, 240]], dtype=torch.uint8)[None, None]
    expected = torch.tensor([[0, 30, 60], [60, 105, 150], [120, 180, 240]])
    assert torch.equal(resized(x, 3, 3)[0, 0], expected.byte())
    torch.testing.assert_close(resized(x.float(), 3, 3)[0, 0], expected.float())


def test_many_pictures_are_resized_in_parts():
    x = torch.randint(256, (300, 1, 64, 64), dtype=torch.uint8)
    parts = torch.cat([resized(part, 20, 20) for part in x.split(7)])
    assert torch.equal(resized(x, 20, 20), parts)


def test_vectors_have_no_size():
    with pytest.raises(ValueError, match="points holds vectors of 2 numbers"):
        resize(Dataset("points", FLOATS), Fit(8, 8))
    with pytest.raises(ValueError, match="size is 8"):
        load_dataset("ring", size=8)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rings", "did you mean 'ring'"),
        ("sprits:x", "did you mean 'sprites'"),
        ("frame:CartPole-v1", "did you mean 'frames'"),
        ("mnits", "did you mean 'digits'.* \\(or a path"),
        ("mnist", "did you mean 'digits'.* \\(or a path"),
        ("ring:1", "at least 2"),
        ("digits:3", "nothing can follow"),
    ],
)
def test_unknown_names_are_refused_with_a_suggestion(spec, message):
    with pytest.raises(ValueError, match=message):
        load_dataset(spec)


def test_limit_below_one_is_refused():
    for spec in ("digits", "sprites:x", "frames:CartPole-v1", "ring"):
        with pytest.raises(ValueError, match="expected at least 1"):
            load_dataset(spec, limit=0)


def test_more_than_memory_holds_is_refused_before_it_is_made():
    for spec in ("ring", "observations:envs:dreamgym/Catch-v0"):
        with pytest.raises(ValueError, match=f"{10**15}.*: expected at most .* as memory holds"):
            load_dataset(spec, limit=10**15)


def test_where_one_side_shrinks_and_the_other_grows_lines_stay():
    x = torch.zeros(1, 1, 48, 640)
    x[..., ::10] = 1.0
    y = resized(x, 64, 64)
    torch.testing.assert_close(y, torch.full((1, 1, 64, 64), 0.1))
    torch.testing.assert_close(resized(x.mT, 64, 64), y.mT)


@pytest.mark.parametrize(("height", "width"), [(4, 4), (4, 12), (3, 8), (20, 5)])
def test_ways_to_another_aspect(height, width):
    """Of a picture of 8x12 with white in the middle, 4x4."""
    x = torch.zeros(1, 3, 8, 12)
    x[..., 2:6, 4:8] = 1.0
    stretched, cropped, padded = (
        Fit(height, width, way)(x)[0, 0] for way in ("stretch", "crop", "pad")
    )
    assert stretched.shape == cropped.shape == padded.shape == (height, width)
    torch.testing.assert_close(stretched, resized(x, height, width)[0, 0])
    top, left, high, wide = Fit(height, width, "crop").window(8, 12)
    assert high == 8 or wide == 12
    assert (top, left) == ((8 - high) // 2, (12 - wide) // 2)
    assert abs(high / wide - height / width) <= 0.5 / min(high, wide) * max(1, height / width)
    scale = min(height / 8, width / 12)
    assert padded.sum().item() == pytest.approx(16 * scale**2, rel=0.35)
    torch.testing.assert_close(stretched, stretched.flip(0, 1))


def test_named_data_come_in_any_aspect():
    assert load_dataset("digits", size=(6, 10), limit=3).shape == (1, 6, 10)
    assert load_dataset("sprites:x", size=(16, 32), fit="pad").shape == (1, 16, 32)
    plain = load_dataset("digits", size=16, limit=3)
    assert torch.equal(load_dataset("digits", size=(16, 16), limit=3).x, plain.x)
    assert torch.equal(load_dataset("digits", size=16, fit="crop", limit=3).x, plain.x)


def test_a_path_is_as_good_as_its_name(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((4, 3), np.float32))
    assert torch.equal(load_dataset(tmp_path / "x.npy").x, load_dataset(str(tmp_path / "x.npy")).x)


def test_a_share_that_is_no_number_is_refused(tmp_path):
    with pytest.raises(ValueError, match="fraction nan holds 0 of 1797 rows out"):
        load_dataset("digits").split(float("nan"))


def test_a_fit_without_a_size_is_told_of(tmp_path):
    pictures = torch.zeros(3, 1, 6, 4, dtype=torch.uint8)
    np.save(tmp_path / "x.npy", pictures.numpy())
    said = "fit is 'crop', which changes nothing without a size"
    for spec in (tmp_path / "x.npy", "digits"):
        with pytest.warns(DataNote, match=said):
            assert load_dataset(spec, fit="crop").notes == (said,)
    assert not load_dataset(tmp_path / "x.npy", fit="crop", size=2).notes[1:]
