"""Pictures become a film: H.264 in an MP4, by the ffmpeg that imageio-ffmpeg brings."""

import errno
import itertools
import subprocess
import tempfile
from collections.abc import Iterable

import numpy as np

from .playing import Picture

NOT_WHOLE = "the film could not be written to its end: is there room for it?"


def write_film(path: str, pictures: Iterable[Picture], rate: int) -> None:
    """Encode `pictures`, `[H, W, 3]` uint8 of one size, as a film of `rate` pictures per second.

    H.264 halves the resolution of colours: an odd row or column is repeated.

    Raises:
        OSError: it could not be written to its end, as on a full disk; what ffmpeg said last
            is told.
    """
    even = map(_even, pictures)
    first = next(even)
    with tempfile.TemporaryFile() as said:  # a pipe that nobody empties would hold ffmpeg up
        ffmpeg = subprocess.Popen(
            _command(path, first, rate),
            stdin=subprocess.PIPE,
            stderr=said,
            process_group=0,  # Ctrl-C is ours to answer
        )
        try:
            with ffmpeg:
                for picture in itertools.chain([first], even):
                    ffmpeg.stdin.write(picture.tobytes())  # type: ignore[union-attr]  # it is PIPE
        except BrokenPipeError:
            pass  # ffmpeg ended early: its status and its words say why
        except BaseException:
            ffmpeg.kill()
            ffmpeg.wait()
            raise
        if ffmpeg.returncode:
            said.seek(0)
            words = said.read().decode(errors="replace").split("\n")
            last = next((f" ({line})" for line in reversed(words) if line), "")
            raise OSError(errno.EIO, NOT_WHOLE + last, path)


def _command(path: str, picture: Picture, rate: int) -> list[str]:
    from imageio_ffmpeg import get_ffmpeg_exe

    height, width, _ = picture.shape
    taken = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {rate} -i -"
    given = "-an -vcodec libx264 -pix_fmt yuv420p -crf 25 -f mp4"
    return [get_ffmpeg_exe(), "-y", "-v", "error", *taken.split(), *given.split(), path]


def _even(picture: Picture) -> Picture:
    height, width, _ = picture.shape
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
