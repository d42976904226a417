"""What is drawn, and the windows that show it."""

import pickle
from importlib.metadata import distributions
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pygame

from envs.pictures.drawing import bar, blend, box, copies, disc, mosaic, paste
from envs.pictures.window import Window

RNG = np.random.default_rng(0)


def test_shapes_cover_their_area():
    shape = (40, 60)
    for coverage, area in (
        (disc(shape, (20.0, 30.0), 10.0), np.pi * 10.0**2),
        (box(shape, (20.0, 30.0), (8.0, 12.0)), 16.0 * 24.0),
        (box(shape, (20.0, 30.0), (8.0, 12.0), 4.0), 16.0 * 24.0 - (4.0 - np.pi) * 4.0**2),
        (bar(shape, (10.0, 10.0), (30.0, 50.0), 3.0), 6.0 * np.hypot(20, 40) + np.pi * 3.0**2),
    ):
        assert coverage.shape == shape
        assert coverage.min() == 0.0
        assert coverage.max() == 1.0
        assert abs(coverage.sum() / area - 1.0) < 0.006
    slanted = bar(shape, (10.0, 10.0), (30.0, 50.0), 3.0)
    assert slanted[20, 30] == 1.0  # (row, column)
    assert slanted[30, 10] == 0.0


def test_blending_mixes_colours():
    image = blend(np.full((1, 3, 3), 100, np.uint8), np.array([[0.0, 0.5, 1.0]]), (200, 0, 50))
    assert image.tolist() == [[[100, 100, 100], [150, 50, 75], [200, 0, 50]]]


def test_patches_land_in_their_frames():
    background = np.zeros((4, 5, 3), np.uint8)
    frames = copies(background, 2)
    patches = np.stack([np.full((2, 2, 3), 7, np.uint8), np.full((2, 2, 3), 9, np.uint8)])
    paste(frames, patches, [0, 2], [3, 1])
    assert frames[0, :2, 3:].tolist() == [[[7] * 3] * 2] * 2
    assert frames[1, 2:, 1:3].tolist() == [[[9] * 3] * 2] * 2
    assert frames.sum() == 4 * 3 * (7 + 9)
    assert background.sum() == 0


def test_mosaics_have_their_tiles_in_place():
    tiles = RNG.integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
    codes = RNG.integers(0, 5, (2, 3, 6))
    pictures = mosaic(tiles, codes)
    assert pictures.shape == (2, 12, 24, 3)
    for (k, row, column), code in np.ndenumerate(codes):
        shown = pictures[k, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        assert np.array_equal(shown, tiles[code])


def test_pygame_is_installed_once():
    # The two distributions overwrite each other's files.
    names = {name for name in ("pygame", "pygame-ce") if any(distributions(name=name))}
    assert names == {"pygame-ce"}


FRAME = RNG.integers(0, 256, (48, 32, 3), dtype=np.uint8)


def test_a_window_shows_frames_enlarged():
    window = Window("test", fps=10_000)
    window.show(FRAME)
    screen = window._window.get_surface()
    assert screen.get_size() == (32 * 10, 48 * 10)
    shown = pygame.surfarray.array3d(screen).swapaxes(0, 1)
    assert np.array_equal(shown, FRAME.repeat(10, axis=0).repeat(10, axis=1))
    window.close()


def test_a_window_waits_for_the_next_frame():
    window = Window("test", fps=30)
    window.show(FRAME)
    waited: list[int] = []
    window._clock = SimpleNamespace(tick=waited.append)
    window.show(FRAME)
    assert waited == [30]
    window.close()


def test_a_window_that_its_user_closes_stays_closed_and_leaves_others_alone():
    one, other = Window("one", fps=10_000), Window("other", fps=10_000)
    one.show(FRAME)
    other.show(FRAME)
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_a))
    pygame.event.post(pygame.event.Event(pygame.WINDOWCLOSE, window=one._window))
    other.show(FRAME)
    assert not other.closed
    one.show(FRAME)
    assert one.closed
    one.show(FRAME)
    assert one._window is None
    assert pygame.K_a in [event.key for event in pygame.event.get(pygame.KEYDOWN)]
    one.close()
    other.close()
    other.close()


def test_closing_the_window_does_not_stop_the_environment():
    env = gym.make("envs:dreamgym/Catch-v0", render_mode="human")
    env.unwrapped._window._fps = 10_000
    env.reset(seed=0)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    env.step(1)
    assert env.unwrapped._window.closed
    assert env.step(1)[0].shape == (44, 44, 1)
    assert env.render() is None
    assert pickle.loads(pickle.dumps(env)).step(1)[0].shape == (44, 44, 1)
    env.close()
