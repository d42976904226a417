"""Boards of cells seen as small pictures, for worlds that show themselves to convolutions."""

import numpy as np
import numpy.typing as npt

from envs.numbers import Array

ZOOM = 4  # pixels along each side of a cell
FRAME = 64  # grey of the frame of one pixel around the board


def enlarge(greys: Array) -> npt.NDArray[np.uint8]:
    """Return boards uint8 `[..., R, C]` as pictures `[..., 4·R + 2, 4·C + 2, 1]` with a frame."""
    cells = greys.repeat(ZOOM, axis=-2).repeat(ZOOM, axis=-1)
    *batch, height, width = cells.shape
    pictures = np.full((*batch, height + 2, width + 2, 1), FRAME, np.uint8)
    pictures[..., 1:-1, 1:-1, 0] = cells
    return pictures
