"""Episodes as files: animations, films and contact sheets."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import numpy as np

from nets.runs.checkpoint import atomic_write

from .films import write_film
from .playing import Frame, Picture, frame_rate, make_drawn, play

if TYPE_CHECKING:
    from PIL import Image

    from ..environments.source import EnvSource
    from ..loop.actor import Actor

Item = TypeVar("Item")

GIF_FRAMES = 150
GIF_SIDE = 400  # pixels of the longer side
FILM_SIDE = 1080
SHEET_FRAMES = 12
SHEET_COLUMNS = 4
SHEET_SIDE = 240
SHEET_PAPER = "#e9ecf0"
LAST_FRAME = 1000  # milliseconds that an animation rests on its end
FORMATS = (".gif", ".mp4", ".png")


def record(
    agent: "Actor",
    source: "EnvSource",
    path: str | Path,
    *,
    episodes: int = 1,
    seed: int = 0,
    max_steps: int | None = None,
) -> None:
    """Play whole episodes and save them in a file, by its suffix: .gif, .mp4 or .png.

    An animation keeps at most 150 frames and the speed of the original; a film keeps every frame;
    a picture is a contact sheet of twelve moments. Episodes are cut off as in `play`.

    Raises:
        ValueError: the suffix is another, the environment cannot be drawn, or `max_steps` is
            below 1.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise ValueError(f"{path} has the suffix {path.suffix!r}: expected one of {FORMATS}")
    env = make_drawn(source)
    try:
        frames = play(agent, env, episodes=episodes, seed=seed, max_steps=max_steps)
        rate = frame_rate(env)
        if path.suffix == ".gif":
            save_gif(path, frames, rate)
        elif path.suffix == ".mp4":
            save_mp4(path, frames, rate)
        else:
            save_sheet(path, frames)
    finally:
        env.close()


def save_gif(path: str | Path, frames: Iterable[Frame], rate: int) -> None:
    """Save an animation of `rate` frames per second that loops for ever."""
    kept, every = thin(frames, GIF_FRAMES, partial(_fitted, side=GIF_SIDE))
    images = [_image(frame.picture) for frame in kept]
    pause = max(20, round(100 * every / rate) * 10)  # the format counts in hundredths of a second
    durations = [pause] * (len(images) - 1) + [max(pause, LAST_FRAME)]

    def write(file: IO[bytes]) -> None:
        images[0].save(
            file, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0
        )

    atomic_write(path, write)


def save_mp4(path: str | Path, frames: Iterable[Frame], rate: int) -> None:
    """Save a film (H.264) of `rate` frames per second.

    Raises:
        OSError: it could not be written to its end, as on a full disk.
    """
    pictures = (fit(frame.picture, FILM_SIDE) for frame in frames)
    atomic_write(path, lambda file: write_film(file.name, pictures, rate))


def save_sheet(path: str | Path, frames: Iterable[Frame]) -> None:
    """Save a contact sheet: evenly spaced moments in reading order, with step and return."""
    from PIL import Image, ImageDraw, ImageFont

    kept, _ = thin(frames, GIF_FRAMES, partial(_fitted, side=SHEET_SIDE))
    chosen = np.unique(np.linspace(0, len(kept) - 1, SHEET_FRAMES).round().astype(int))
    moments = [kept[index] for index in chosen]
    font, gap, line = ImageFont.load_default(14), 10, 20
    height, width, _ = moments[0].picture.shape
    width_cell, height_cell = max(width, 150) + gap, height + line + gap
    columns = min(SHEET_COLUMNS, len(moments))
    rows = -(-len(moments) // columns)
    sheet = Image.new("RGB", (columns * width_cell + gap, rows * height_cell + gap), SHEET_PAPER)
    draw = ImageDraw.Draw(sheet)
    several = moments[-1].episode > 0
    for index, moment in enumerate(moments):
        x = gap + index % columns * width_cell
        y = gap + index // columns * height_cell
        caption = f"step {moment.step}   return {moment.total_reward:g}"
        if several:
            caption = f"episode {moment.episode + 1}   {caption}"
        draw.text((x, y), caption, fill="black", font=font)
        sheet.paste(_image(moment.picture), (x, y + line))
    atomic_write(path, lambda file: sheet.save(file, "PNG"))


def thin(
    items: Iterable[Item], limit: int, keep: Callable[[Item], Item] = lambda item: item
) -> tuple[list[Item], int]:
    """Return at most `limit` items of a stream of unknown length, and how far they are apart.

    The first and the last item are among them; no more than `limit` are ever held, each as `keep`
    makes it.
    """
    kept: list[Item] = []
    every, last = 1, None
    for index, item in enumerate(items):
        last = index, item
        if index % every:
            continue
        if len(kept) == limit - 1:
            kept, every = kept[::2], every * 2
            if index % every:
                continue
        kept.append(keep(item))
    if last is not None and last[0] % every:
        kept.append(keep(last[1]))
    return kept, every


def fit(picture: Picture, side: int) -> Picture:
    """Return `picture` reduced to `side` pixels, or enlarged by a whole factor where it is small.

    Args:
        picture: `[H, W, 3]`.
        side: the longer side of the result, at most.
    """
    from PIL.Image import Resampling

    height, width, _ = picture.shape
    longest = max(height, width)
    zoom = side // longest
    if zoom > 1:
        return picture.repeat(zoom, 0).repeat(zoom, 1)
    if longest <= side:
        return picture
    size = max(1, width * side // longest), max(1, height * side // longest)
    return np.asarray(_image(picture).resize(size, Resampling.LANCZOS))


def _fitted(frame: Frame, side: int) -> Frame:
    return replace(frame, picture=fit(frame.picture, side))


def _image(picture: Picture) -> "Image.Image":
    from PIL import Image

    return Image.fromarray(picture)
