"""Pictures of any size: flat stays flat, shapes stay where they were, worlds obey."""

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401
from envs.pictures.sizes import resized

HOME = ("dreamgym", "envs.scalar:DynamicsEnv")
WORLDS = [spec.id for spec in gym.registry.values() if (spec.namespace, spec.entry_point) == HOME]


def test_a_flat_picture_stays_flat_and_a_ramp_a_ramp():
    flat = np.full((2, 20, 30, 3), (7, 100, 255), np.uint8)
    ramp = np.broadcast_to(np.arange(0, 240, 4, np.uint8)[:, None, None], (1, 60, 60, 1)).repeat(
        3, -1
    )
    for size in (8, 29, 31, 100):
        other = resized(flat, size)
        assert other.shape == (2, round(20 * size / 30), size, 3)
        assert (other == (7, 100, 255)).all()
        line = resized(ramp, size)[0, :, 0, 0].astype(float)
        expected = 4 * ((np.arange(size) + 0.5) * 60 / size - 0.5)
        inside = slice(2 * size // 10, 8 * size // 10)
        np.testing.assert_allclose(line[inside], expected[inside], atol=1.0)


def test_no_size_is_the_picture_itself():
    frames = np.zeros((1, 4, 6, 3), np.uint8)
    assert resized(frames, None) is frames
    assert resized(frames, 6) is frames


@pytest.mark.parametrize("name", WORLDS)
def test_every_world_draws_in_the_size_that_is_asked_for(name):
    plain, small = (
        gym.make(name, render_mode="rgb_array", render_size=size) for size in (None, 96)
    )
    many = gym.make_vec(name, 2, render_mode="rgb_array", render_size=96)
    for env in (plain, small, many):
        env.reset(seed=0)
    drawn, picture = plain.render(), small.render()
    assert max(picture.shape) == 96
    np.testing.assert_array_equal(many.render()[0], picture)
    assert abs(float(picture.mean()) - float(drawn.mean())) < 3.0


@pytest.mark.parametrize("size", [0, 7, 5000, 96.0, "96"])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match="render_size is a number of pixels from 8 to 4096, got"):
        gym.make("dreamgym/Catch-v0", render_size=size)
