"""What a notebook shows of pictures: a few of them, as files."""

import io
from collections.abc import Sequence

from torch import Tensor

SHOWN = 16  # pictures at most


def are_pictures(shape: Sequence[int]) -> bool:
    """Whether data of a shape can be seen: grey or coloured pictures `(C, H, W)`."""
    return len(shape) == 3 and shape[0] in (1, 3)


def png(x: Tensor) -> bytes:
    """Return a picture `[C, H, W]` in [0, 1] as a file."""
    from PIL import Image

    file = io.BytesIO()
    colours = (x.cpu().float().clamp(0, 1) * 255).round().byte().expand(3, -1, -1)
    Image.fromarray(colours.movedim(0, -1).numpy()).save(file, "PNG")
    return file.getvalue()
