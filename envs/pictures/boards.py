"""Boards of cells seen as small pictures, for worlds that show themselves to convolutions."""

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from ..numbers import Array

ZOOM = 4  # pixels along each side of a cell
FRAME = 64  # grey of the frame of one pixel around the board


def board_space(obs: str, planes: int, size: int) -> spaces.Box:
    """Return what shows a square board: `"board"` in planes of 0 and 1, or `"pixels"` as a picture.

    Raises:
        ValueError: `obs` is neither.
    """
    if obs == "board":
        return spaces.Box(0.0, 1.0, (planes, size, size), np.float32)
    if obs == "pixels":
        side = ZOOM * size + 2
        return spaces.Box(0, 255, (side, side, 1), np.uint8)
    raise ValueError(f"obs is 'pixels' or 'board', got {obs!r}")


def enlarge(greys: Array) -> npt.NDArray[np.uint8]:
    """Return boards uint8 `[..., R, C]` as pictures `[..., 4·R + 2, 4·C + 2, 1]` with a frame."""
    cells = greys.repeat(ZOOM, axis=-2).repeat(ZOOM, axis=-1)
    *batch, height, width = cells.shape
    pictures = np.full((*batch, height + 2, width + 2, 1), FRAME, np.uint8)
    pictures[..., 1:-1, 1:-1, 0] = cells
    return pictures
