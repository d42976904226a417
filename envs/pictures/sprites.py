"""The pictures of grid worlds: layers that are painted over one another on a square canvas."""

from collections.abc import Callable

import numpy as np

from .drawing import Colour, Coverage, Frames, Point, bar, blend, box, disc

SIDE = 128  # pixels of the canvas; tiles are made smaller from it
SHAPE = (SIDE, SIDE)
WHITE, INK = (255, 255, 255), (45, 42, 62)
Painter = Callable[[Frames], Frames]


def _ellipse(centre: Point, half: Point) -> Coverage:
    rows, columns = np.ogrid[:SIDE, :SIDE]
    radius = np.hypot((rows + 0.5 - centre[0]) / half[0], (columns + 0.5 - centre[1]) / half[1])
    return np.clip(0.5 - (radius - 1.0) * min(half), 0.0, 1.0)


def _polygon(*corners: Point) -> Coverage:
    """Return the coverage of a convex polygon whose corners go round clockwise."""
    rows, columns = np.ogrid[:SIDE, :SIDE]
    cover = np.ones(SHAPE)
    for (top, left), (bottom, right) in zip(corners, corners[1:] + corners[:1], strict=True):
        normal = np.array([right - left, top - bottom]) / np.hypot(right - left, bottom - top)
        inside = (rows + 0.5 - top) * normal[0] + (columns + 0.5 - left) * normal[1]
        cover = np.minimum(cover, np.clip(inside + 0.5, 0.0, 1.0))
    return cover


def _fade(top: float, bottom: float) -> Coverage:
    """Return an opacity that goes evenly from the first row to the last."""
    return np.broadcast_to(np.linspace(top, bottom, SIDE)[:, None], SHAPE)


def _ground(canvas: Frames, colour: Colour, seam: Colour) -> Frames:
    canvas = blend(canvas, np.ones(SHAPE), seam)
    return blend(canvas, box(SHAPE, (64, 64), (62, 62), 10), colour)


def ice(canvas: Frames) -> Frames:
    """A frozen surface with two gleams."""
    canvas = _ground(canvas, (206, 232, 246), (184, 217, 236))
    canvas = blend(canvas, 0.9 * bar(SHAPE, (44, 20), (20, 44), 3.0), WHITE)
    return blend(canvas, 0.9 * bar(SHAPE, (108, 92), (92, 108), 3.0), WHITE)


def hole(canvas: Frames) -> Frames:
    """Open water."""
    canvas = blend(canvas, _ellipse((64, 64), (48, 50)), (168, 206, 230))
    canvas = blend(canvas, _ellipse((66, 64), (42, 44)), (33, 88, 138))
    canvas = blend(canvas, _ellipse((72, 64), (35, 39)), (44, 112, 168))
    canvas = blend(canvas, 0.8 * bar(SHAPE, (70, 44), (70, 62), 2.5), (120, 180, 222))
    return blend(canvas, 0.8 * bar(SHAPE, (84, 66), (84, 88), 2.5), (120, 180, 222))


def grass(canvas: Frames) -> Frames:
    """A meadow with a few blades."""
    canvas = _ground(canvas, (150, 203, 121), (139, 193, 112))
    for row, column in ((34, 30), (48, 92), (100, 38), (92, 104)):
        for lean in (-7, 0, 7):
            blade = bar(SHAPE, (row, column), (row - 12 + abs(lean) / 2, column + lean), 2.2)
            canvas = blend(canvas, 0.8 * blade, (110, 168, 88))
    return canvas


def cliff(canvas: Frames) -> Frames:
    """An edge of grass over rock that falls into the dark."""
    canvas = blend(canvas, np.ones(SHAPE), (140, 108, 88))
    for row, column, half in (
        (46, 22, 20),
        (50, 66, 18),
        (44, 108, 18),
        (84, 44, 22),
        (82, 92, 20),
    ):
        canvas = blend(canvas, box(SHAPE, (row, column), (13, half), 6), (158, 124, 100))
    canvas = blend(canvas, _fade(-0.2, 1.15).clip(0, 1), (38, 30, 46))
    canvas = blend(canvas, box(SHAPE, (0, 64), (16, 70)), (110, 168, 88))
    for column, length in ((10, 20), (31, 26), (54, 19), (76, 27), (98, 20), (119, 24)):
        canvas = blend(canvas, bar(SHAPE, (0, column), (length, column), 11.0), (110, 168, 88))
    return blend(canvas, box(SHAPE, (0, 64), (10, 70)), (150, 203, 121))


def floor(canvas: Frames) -> Frames:
    """A stone slab."""
    return _ground(canvas, (243, 234, 217), (231, 219, 197))


def wall(canvas: Frames) -> Frames:
    """A block seen from above."""
    canvas = blend(canvas, np.ones(SHAPE), (58, 66, 92))
    canvas = blend(canvas, box(SHAPE, (56, 64), (54, 62), 8), (88, 99, 130))
    return blend(canvas, box(SHAPE, (53, 64), (48, 57), 6), (101, 113, 146))


def mat(canvas: Frames) -> Frames:
    """Where an episode begins."""
    ring = disc(SHAPE, (64, 64), 40) - disc(SHAPE, (64, 64), 33)
    canvas = blend(canvas, 0.75 * ring, (96, 110, 150))
    return blend(canvas, 0.25 * disc(SHAPE, (64, 64), 33), (96, 110, 150))


def flag(canvas: Frames) -> Frames:
    """The goal."""
    canvas = blend(canvas, 0.25 * _ellipse((109, 58), (9, 30)), INK)
    canvas = blend(canvas, bar(SHAPE, (20, 46), (106, 46), 4.0), (122, 92, 78))
    canvas = blend(canvas, disc(SHAPE, (18, 46), 6.5), (250, 200, 80))
    canvas = blend(canvas, _polygon((26, 50), (46, 104), (66, 50)), (226, 74, 83))
    return blend(canvas, 0.5 * _polygon((26, 50), (46, 104), (46, 50)), (255, 122, 118))


def stop(canvas: Frames) -> Frames:
    """An end that pays nothing."""
    canvas = blend(canvas, disc(SHAPE, (64, 64), 40), (150, 150, 166))
    return blend(canvas, box(SHAPE, (64, 64), (7, 24), 4), WHITE)


def agent(canvas: Frames) -> Frames:
    """A friendly figure."""
    orange, shade = (250, 158, 66), (232, 126, 44)
    canvas = blend(canvas, 0.28 * _ellipse((108, 64), (9, 36)), INK)
    for column in (48, 80):
        canvas = blend(canvas, _ellipse((103, column), (8, 12)), shade)
    canvas = blend(canvas, bar(SHAPE, (30, 64), (16, 64), 2.5), INK)
    canvas = blend(canvas, disc(SHAPE, (14, 64), 6), (226, 74, 83))
    canvas = blend(canvas, box(SHAPE, (66, 64), (38, 36), 32), shade)
    canvas = blend(canvas, box(SHAPE, (63, 64), (35, 34), 30), orange)
    canvas = blend(canvas, _ellipse((84, 64), (17, 21)), (255, 214, 150))
    for column in (50, 78):
        canvas = blend(canvas, disc(SHAPE, (56, column), 11), WHITE)
        canvas = blend(canvas, disc(SHAPE, (57, column + 2), 6), INK)
        canvas = blend(canvas, disc(SHAPE, (54, column + 4), 2), WHITE)
        canvas = blend(canvas, _ellipse((73, column * 1.6 - 38), (4, 6)), (244, 122, 96))
    smile = disc(SHAPE, (70, 64), 9) - disc(SHAPE, (66, 64), 9)
    return blend(canvas, smile.clip(0, 1), INK)


def arrow(canvas: Frames) -> Frames:
    """A move, up."""
    canvas = blend(canvas, bar(SHAPE, (64, 64), (36, 64), 5.5), INK)
    return blend(canvas, _polygon((14, 64), (40, 85), (40, 43)), INK)


LAYERS: dict[str, Painter] = {
    painter.__name__: painter
    for painter in (ice, hole, grass, cliff, floor, wall, mat, flag, stop, agent, arrow)
}
"""What a tile can be made of, by name."""
