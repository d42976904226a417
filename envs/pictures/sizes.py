"""Pictures in other sizes than they were drawn in."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .drawing import Frames

LARGEST = 4096


def require_size(size: int | None) -> int | None:
    """Return a size of pictures.

    Raises:
        ValueError: It is no whole number of pixels from 8 to 4096.
    """
    if size is None or (isinstance(size, int | np.integer) and 8 <= size <= LARGEST):
        return size if size is None else int(size)
    raise ValueError(f"render_size is a number of pixels from 8 to {LARGEST}, got {size!r}")


def resized(frames: Frames, size: int | None) -> Frames:
    """Return frames `[N, H, W, 3]` whose longer side has `size` pixels; None: as they are.

    By cubic convolution along each side, over as many pixels as one of the result covers. Keys
    (1981), "Cubic convolution interpolation for digital image processing".
    """
    longest = max(frames.shape[1:3])
    if size is None or size == longest:
        return frames
    height, width = (max(1, round(side * size / longest)) for side in frames.shape[1:3])
    down, right = _weights(frames.shape[1], height), _weights(frames.shape[2], width)
    lines = np.einsum("hH,nHWc->nhWc", down, frames.astype(np.float32), optimize=True)
    pixels = np.einsum("wW,nhWc->nhwc", right, lines, optimize=True)
    return np.rint(pixels.clip(0, 255)).astype(np.uint8)


@lru_cache(maxsize=16)
def _weights(before: int, after: int) -> npt.NDArray[np.float32]:
    """Return what each pixel of a line of `after` takes of each of `before`, `[after, before]`."""
    ratio = before / after
    centres = (np.arange(after)[:, None] + 0.5) * ratio - 0.5
    x = abs(np.arange(before) - centres) / max(ratio, 1.0)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((2.5 - 0.5 * x) * x - 4.0) * x + 2.0
    weights = np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)
