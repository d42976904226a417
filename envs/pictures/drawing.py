"""Pictures are a background plus patches: smooth shapes drawn once, then copied into place.

Shapes are the coverage of each pixel, in [0, 1], from their signed distance; coordinates are (row,
column) in pixels, and the centre of the first pixel lies at (0.5, 0.5).
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.uint8]
Coverage = npt.NDArray[np.float64]
Colour = tuple[int, int, int]
Point = tuple[float, float]


def _pixels(shape: tuple[int, int], centre: Point) -> tuple[Coverage, Coverage]:
    """Return every pixel's vertical `[H, 1]` and horizontal `[1, W]` distance from a point."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return rows + 0.5 - centre[0], columns + 0.5 - centre[1]


def _cover(distance: Coverage) -> Coverage:
    return np.clip(0.5 - distance, 0.0, 1.0)


def disc(shape: tuple[int, int], centre: Point, radius: float) -> Coverage:
    """Return the coverage `[H, W]` of a disc."""
    return _cover(np.hypot(*_pixels(shape, centre)) - radius)


def box(shape: tuple[int, int], centre: Point, half: Point, corner: float = 0.0) -> Coverage:
    """Return the coverage `[H, W]` of a box of half its height and width, with round corners."""
    down, right = _pixels(shape, centre)
    down, right = abs(down) - (half[0] - corner), abs(right) - (half[1] - corner)
    outside = np.hypot(np.maximum(down, 0.0), np.maximum(right, 0.0))
    return _cover(outside + np.minimum(np.maximum(down, right), 0.0) - corner)


def bar(shape: tuple[int, int], start: Point, end: Point, radius: float) -> Coverage:
    """Return the coverage `[H, W]` of a straight bar with round ends."""
    down, right = _pixels(shape, start)
    height, width = end[0] - start[0], end[1] - start[1]
    along = np.clip((down * height + right * width) / (height**2 + width**2), 0.0, 1.0)
    return _cover(np.hypot(down - along * height, right - along * width) - radius)


def blend(image: Frames, coverage: Coverage, colour: Colour) -> Frames:
    """Return an image `[H, W, 3]` painted over with a colour where a shape covers it."""
    over = coverage[..., None]
    return np.rint(image * (1.0 - over) + np.array(colour) * over).astype(np.uint8)


def copies(background: Frames, n: int) -> Frames:
    """Return n copies `[N, H, W, 3]` of a background."""
    frames = np.empty((n, *background.shape), np.uint8)
    frames[:] = background
    return frames


def paste(
    frames: Frames, patches: Iterable[Frames], rows: Iterable[int], columns: Iterable[int]
) -> None:
    """Copy a patch `[h, w, 3]` into each frame, its first pixel at (row, column)."""
    for frame, patch, row, column in zip(frames, patches, rows, columns, strict=False):
        frame[row : row + patch.shape[0], column : column + patch.shape[1]] = patch


def mosaic(tiles: Frames, codes: npt.NDArray[np.int64]) -> Frames:
    """Return pictures `[N, R·t, C·t, 3]` put together of tiles `[K, t, t, 3]`.

    Args:
        tiles: Square pictures.
        codes: The number of the tile at each place, `[N, R, C]`.
    """
    side, (n, rows, columns) = tiles.shape[1], codes.shape
    lines = codes[:, :, None] * side + np.arange(side)[:, None]  # [N, R, t, C]
    pixels = tiles.reshape(-1, side * 3).take(lines, axis=0)  # [N, R, t, C, 3t]
    return pixels.reshape(n, rows * side, columns * side, 3)
