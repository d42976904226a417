"""What an agent looks like at play: episodes as animations, films and contact sheets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nets.runs.checkpoint import atomic_write

if TYPE_CHECKING:
    import gymnasium as gym
    from PIL import Image

    from ..environments.source import EnvSource
    from ..loop.actor import Actor

Picture = NDArray[np.uint8]
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


@dataclass(frozen=True)
class Frame:
    """One moment of an episode."""

    picture: Picture  # [H, W, 3]
    episode: int
    step: int
    total_reward: float


def make_drawn(source: "EnvSource") -> "gym.Env":
    """Make the environment so that it draws itself as pictures.

    Raises:
        ValueError: it cannot.
    """
    plain = source.make()
    modes = plain.metadata.get("render_modes") or []
    plain.close()
    if "rgb_array" not in modes:
        message = f"{source.name} cannot be drawn: its render modes are {modes}"
        raise ValueError(f"{message}, expected 'rgb_array' among them")
    return source.make(render_mode="rgb_array")


def show_thoughts(agent: "Actor", env: "gym.Env") -> None:
    """Let the environment draw the agent's values and policy, where the two have that."""
    world = env.unwrapped
    overlay = getattr(world, "overlay", getattr(getattr(world, "dynamics", None), "overlay", None))
    thoughts = {name: getattr(agent, name, None) for name in ("values", "policy")}
    if overlay is not None and all(isinstance(table, np.ndarray) for table in thoughts.values()):
        overlay(**thoughts)


def frame_rate(env: "gym.Env") -> int:
    """Return how many frames of an environment are meant to be seen in a second."""
    return int(env.metadata.get("render_fps") or 30)


def play(agent: "Actor", env: "gym.Env", *, episodes: int = 1, seed: int = 0) -> Iterator[Frame]:
    """Let `agent` play whole episodes greedily; yield every moment, the first and last included.

    Args:
        agent: the player.
        env: what `make_drawn` made; the first episode starts from `seed`.
        episodes: how many to play.
        seed: of the environment.
    """
    show_thoughts(agent, env)
    for episode in range(episodes):
        observation, _ = env.reset(seed=None if episode else seed)
        step, total, over = 0, 0.0, False
        state, start = None, np.ones(1, bool)
        yield Frame(draw(env), episode, step, total)
        while not over:
            action, state = agent.predict(observation, state, start, deterministic=True)
            observation, reward, terminated, truncated, _ = env.step(action)
            step, total, over = step + 1, total + float(reward), terminated or truncated
            start = np.zeros(1, bool)
            yield Frame(draw(env), episode, step, total)


def record(
    agent: "Actor", source: "EnvSource", path: str | Path, *, episodes: int = 1, seed: int = 0
) -> None:
    """Play whole episodes and save them in a file, by its suffix: .gif, .mp4 or .png.

    An animation keeps at most 150 frames and the speed of the original; a film keeps every frame;
    a picture is a contact sheet of twelve moments.

    Raises:
        ValueError: the suffix is another, or the environment cannot be drawn.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise ValueError(f"{path} has the suffix {path.suffix!r}: expected one of {FORMATS}")
    env = make_drawn(source)
    try:
        frames, rate = play(agent, env, episodes=episodes, seed=seed), frame_rate(env)
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
    kept, every = thin(_fitted(frames, GIF_SIDE), GIF_FRAMES)
    images = [_image(frame.picture) for frame in kept]
    pause = max(20, round(100 * every / rate) * 10)  # the format counts in hundredths of a second
    durations = [pause] * (len(images) - 1) + [max(pause, LAST_FRAME)]

    def write(file: IO[bytes]) -> None:
        images[0].save(
            file, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0
        )

    atomic_write(path, write)


def save_mp4(path: str | Path, frames: Iterable[Frame], rate: int) -> None:
    """Save a film (H.264) of `rate` frames per second."""
    from imageio_ffmpeg import write_frames

    def write(file: IO[bytes]) -> None:
        film: Any = None
        for frame in _fitted(frames, FILM_SIDE):
            picture = _even(frame.picture)
            if film is None:
                height, width, _ = picture.shape
                film = write_frames(
                    file.name,
                    (width, height),
                    fps=rate,
                    macro_block_size=2,
                    output_params=["-f", "mp4"],
                )
                film.send(None)
            film.send(np.ascontiguousarray(picture))
        film.close()

    atomic_write(path, write)


def save_sheet(path: str | Path, frames: Iterable[Frame]) -> None:
    """Save a contact sheet: evenly spaced moments in reading order, with step and return."""
    from PIL import Image, ImageDraw, ImageFont

    kept, _ = thin(_fitted(frames, SHEET_SIDE), GIF_FRAMES)
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


def thin(items: Iterable[Item], limit: int) -> tuple[list[Item], int]:
    """Return at most `limit` items of a stream of unknown length, and how far they are apart.

    The first and the last item are among them; no more than `limit` are ever held.
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
        kept.append(item)
    if last is not None and last[0] % every:
        kept.append(last[1])
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


def _fitted(frames: Iterable[Frame], side: int) -> Iterator[Frame]:
    return (replace(frame, picture=fit(frame.picture, side)) for frame in frames)


def draw(env: "gym.Env") -> Picture:
    """Return a picture `[H, W, 3]` of what an environment made by `make_drawn` shows now."""
    return np.asarray(env.render(), np.uint8)


def _even(picture: Picture) -> Picture:
    """Repeat the last row and column where their number is odd: H.264 halves the colours."""
    height, width, _ = picture.shape
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _image(picture: Picture) -> "Image.Image":
    from PIL import Image

    return Image.fromarray(picture)
