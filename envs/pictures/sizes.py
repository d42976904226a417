"""Pictures in other sizes than they were drawn in."""

import numpy as np

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

    By Pillow's cubic convolution, over as many pixels as one of the result covers.
    """
    from PIL import Image

    longest = max(frames.shape[1:3])
    if size is None or size == longest:
        return frames
    height, width = (max(1, round(side * size / longest)) for side in frames.shape[1:3])
    cubic = Image.Resampling.BICUBIC
    pictures = [Image.fromarray(frame).resize((width, height), cubic) for frame in frames]
    return np.stack([np.asarray(picture) for picture in pictures])
