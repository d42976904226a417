"""Augmentation against torch.rot90, SciPy and exact shifts."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy import ndimage

from nets.process.seeding import seeded
from nets.supervised import augmentation
from nets.supervised.augmentation import (
    Augmentation,
    random_crop,
    random_flip,
    random_rotate,
    random_scale,
    random_shift,
    rotate,
    transform,
)


@pytest.fixture
def images():
    return torch.rand(4, 2, 9, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("quarters", [-1, 0, 1, 2, 3])
def test_N_REG_12_quarter_turns_are_rot90(images, quarters):
    expected = images.rot90(quarters, (-2, -1))
    assert torch.equal(rotate(images, 90 * quarters), expected)
    torch.testing.assert_close(transform(images, degrees=90.0 * quarters), expected)


def test_N_REG_12_identity_parameters_change_nothing(images):
    torch.testing.assert_close(transform(images), images)
    torch.testing.assert_close(random_rotate(images, 0.0), images)
    torch.testing.assert_close(random_scale(images, 1.0, 1.0), images)
    assert torch.equal(random_shift(images, 0), images)
    assert torch.equal(random_flip(images, probability=0.0), images)
    assert torch.equal(random_crop(images, 9, 9), images)


@pytest.mark.parametrize("size", [(9, 9), (7, 11)])
@pytest.mark.parametrize(
    ("degrees", "scale", "shift"), [(25.0, 1.3, (0.0, 0.0)), (-70.0, 0.8, (1.5, -2.0))]
)
def test_N_REG_12_transforms_are_scipys(size, degrees, scale, shift):
    rng = np.random.default_rng(0)
    image = rng.random(size)
    a, centre = np.deg2rad(degrees), (np.array(size) - 1) / 2
    # SciPy maps output to input places, (row, column): the inverse of turn, scale, shift
    inverse = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) / scale
    offset = centre - inverse @ (centre + np.array(shift)[::-1])
    expected = ndimage.affine_transform(image, inverse, offset, order=1, mode="grid-constant")
    found = transform(
        torch.from_numpy(image)[None, None],
        degrees=degrees,
        scale=scale,
        shift=torch.tensor([shift]),
    )
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-9)


def test_N_REG_12_each_picture_is_drawn_for_itself():
    torch.manual_seed(0)
    picture = torch.zeros(1, 1, 8, 8)
    picture[..., 2, 3] = 1.0
    many = picture.expand(4000, 1, 8, 8)
    flipped = random_flip(many)[:, 0, 2, 4]
    assert flipped.mean().item() == pytest.approx(0.5, abs=4 * 0.5 / 4000**0.5)
    shifted = random_shift(many, 2)
    places = shifted.flatten(1).argmax(1)
    counts = torch.bincount(places, minlength=64).view(8, 8)
    assert (counts > 0).nonzero().tolist() == [[r, c] for r in range(5) for c in range(1, 6)]
    assert counts[counts > 0].float().std() < 4 * (4000 / 25) ** 0.5
    assert (shifted.flatten(1).sum(1) == 1.0).all()
    turned = random_rotate(many, 180.0)
    assert len({tuple(row.tolist()) for row in turned.flatten(1)}) > 3900


def test_N_REG_12_the_border_fills_what_a_shift_lays_bare(images):
    """Every outcome is a window of NumPy's "edge" padding, and all 5 × 5 windows occur."""
    picture = images[:1]
    padded = np.pad(picture[0].numpy(), ((0, 0), (2, 2), (2, 2)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2, 9, 9))[0]  # [5, 5, 2, 9, 9]
    with seeded(0):
        shifted = random_shift(picture.expand(400, -1, -1, -1), 2).numpy()
    same = (shifted[:, None, None] == windows).all((-1, -2, -3))  # [400, 5, 5]
    assert (same.sum((1, 2)) == 1).all()
    assert same.any(0).all()


def test_N_REG_12_angles_and_factors_stay_in_their_range(monkeypatch):
    torch.manual_seed(0)
    seen = {}
    monkeypatch.setattr(augmentation, "transform", lambda images, **given: seen.update(given))
    many = torch.zeros(20_000, 1, 2, 2)
    random_rotate(many, 30.0)
    random_scale(many, 0.5, 2.0)
    degrees, scale = seen["degrees"], seen["scale"]
    assert -30.0 <= degrees.min() < -29.9
    assert 29.9 < degrees.max() <= 30.0
    assert 0.5 <= scale.min() < 0.501
    assert 1.999 < scale.max() <= 2.0
    assert scale.log().mean().item() == pytest.approx(0.0, abs=0.02)


def test_N_REG_12_crops_are_pieces():
    torch.manual_seed(0)
    rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(7.0), indexing="ij")
    picture = (10 * rows + columns)[None, None].expand(500, 1, 6, 7)
    crops = random_crop(picture, 4, 5)
    assert crops.shape == (500, 1, 4, 5)
    corners = crops[:, 0, 0, 0]
    assert sorted(set(corners.tolist())) == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    offsets = crops - corners.view(-1, 1, 1, 1)
    assert torch.equal(offsets, picture[:, :, :4, :5])
    with pytest.raises(ValueError, match="cannot cut 7x5 out of pictures of 6x7"):
        random_crop(picture, 7, 5)


def test_S_DATA_05_augmentation_is_for_training_alone(images):
    torch.manual_seed(0)
    augment = Augmentation([partial(random_shift, pixels=2), random_flip])
    assert not torch.equal(augment(images), images)
    assert torch.equal(augment.eval()(images), images)
