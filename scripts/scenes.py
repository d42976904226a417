"""Moments of play side by side, and samples of data: what illustrations.py draws."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

from agents import ValueIteration
from generative.data import load_dataset
from generative.data.sprites import SHAPES
from generative.gallery.charts import latent_scatter
from generative.gallery.grids import film, grid
from generative.model import Batch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture: TypeAlias = NDArray[np.uint8]
Player: TypeAlias = "str | Callable[[Any], Any]"  # a digit for each action, or a policy

GAP = 16  # white pixels between moments
UP, RIGHT, DOWN, LEFT = range(4)


@dataclass(frozen=True)
class Scene:
    """Moments of an episode: steps of it, from 0 on, before which a picture is taken."""

    world: str
    moments: Sequence[int]
    player: Player = ""
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    def pictures(self) -> list[Picture]:
        """Play, and return the pictures `[H, W, 3]`."""
        env = gym.make(f"envs:dreamgym/{self.world}-v0", render_mode="rgb_array", **self.options)
        observation, _ = env.reset(seed=self.seed)
        taken: list[Any] = []
        for step in range(self.moments[-1] + 1):
            if step:
                play = self.player
                action = int(play[step - 1]) if isinstance(play, str) else play(observation)
                observation, *_ = env.step(action)
            if step in self.moments:
                taken.append(env.render())
        env.close()
        return taken


def under_the_ball(board: NDArray[np.float32]) -> int:
    """Move Bricks' paddle to where the ball is next."""
    paddle, ball, before = (plane.any(0).nonzero()[0].mean() for plane in board[:3])
    return 1 + int(np.sign(round(2 * ball - before - paddle)))


def pump(observation: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the rod energy as long as it lacks some."""
    cosine, _, speed = observation
    lacks = speed * speed / 2 + 15 * cosine < 15
    return np.array([(2 if lacks else -2) * (1 if speed >= 0 else -1)], np.float32)


def to_the_origin(observation: NDArray[np.float32]) -> NDArray[np.float32]:
    """Push the mass as is best for a discount of 0.99."""
    x, v = observation
    return np.array([-8.253 * x - 5.042 * v], np.float32)


def to_the_buoy(observation: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Row straight on, against the drift."""
    where, drift = np.split(observation["observation"], 2)
    return ((observation["desired_goal"] - where - drift) / 0.1).clip(-1, 1)


def to_the_food(board: NDArray[np.float32]) -> int:
    """Take the shortest way that neither bites the body nor leaves the board at once."""
    (head,), (food,) = (np.argwhere(board[plane]) for plane in (0, 2))
    steps = head + np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])  # [4, 2]
    taken = np.pad(board[1], 1, constant_values=1)[tuple((steps + 1).T)] > 0
    return int((abs(steps - food).sum(1) + 100 * taken).argmin())


def along_the_tour(board: NDArray[np.float32]) -> int:
    """Go through all cells: down the first column, to and fro up the others."""
    ((row, column),) = np.argwhere(board[0])
    if column == 0:
        return RIGHT if row == 9 else DOWN
    if row % 2:
        return RIGHT if column < 9 else UP
    return LEFT if column > 1 or row == 0 else UP


def overlay() -> Picture:
    """Draw what value iteration thinks of the lake: ways that are equally good share a cell."""
    env = gym.make("envs:dreamgym/Lake8x8-v0", render_mode="rgb_array")
    agent = ValueIteration(env)
    agent.solve()
    best = np.isclose(agent.q, agent.values[:, None])
    env.unwrapped.dynamics.overlay(agent.values, best / best.sum(1, keepdims=True))  # type: ignore[attr-defined]
    env.reset(seed=0)
    return env.render()  # type: ignore[return-value]


def data(name: str, every: int = 1, **options: Any) -> Batch:
    """Return each so-many-th row of a data set."""
    return load_dataset(name, **options).batch(slice(None, None, every))


def sprites() -> Picture:
    """Draw some figures of each shape, which grow to the right."""
    kinds = [f"sprites:shape={shape},scale,orientation,x,y" for shape in SHAPES]
    return grid(torch.cat([data(kind, limit=12).x for kind in kinds]), 12, zoom=1)


def turning() -> Picture:
    """Let the three shapes turn by one round."""
    x = data("sprites:shape,orientation=:39").x
    return film(x.unflatten(0, (3, 39)).transpose(0, 1), 3, pendulum=False)


def frames() -> Picture:
    """Draw ten moments of random play in each of four worlds."""
    worlds = [f"frames:dreamgym/{world}-v0" for world in ("Catch", "Bricks", "Snake", "CartPole")]
    sets = [data(world, 33, size=64, limit=320).x for world in worlds]
    return grid(torch.cat(sets), 10, zoom=1)


def ring() -> "Figure":
    """Draw points of the ring."""
    points = data("ring", limit=4_000)
    assert points.label is not None
    look: dict[str, Any] = {"title": "ring", "symbol": "x", "dimensions": (0, 1)}
    return latent_scatter(points.x, points.label, **look)


BOARD = {"obs": "board"}
SCENES = {
    "bricks": [Scene("Bricks", (0, 62, 145), under_the_ball, options=BOARD)],
    "cartpole": [Scene("CartPole", (12,), "110110111101")],
    "catch": [Scene("Catch", (0, 4, 9), "211111111")],
    "cliff": [Scene("Cliff", (4,), "0111")],
    "four-rooms": [Scene("FourRooms", (0,), seed=3)],
    "lake": [Scene("Lake", (1,), "1", options={"is_slippery": False})],
    "maze": [Scene("Maze", (2,), "22")],
    "pendulum": [Scene("Pendulum", (0, 30, 43), pump, seed=14)],
    "pointmass": [Scene("PointMass", (10,), to_the_origin)],
    "reach": [Scene("Reach", (0, 6, 18), to_the_buoy, seed=8)],
    "recall": [Scene("Recall", (0, 10, 20, 21), 21 * "1")],
    "snake": [
        Scene("Snake", (0, 290), to_the_food, seed=24, options=BOARD),
        Scene("Snake", (1500,), along_the_tour, options=BOARD),
    ],
    "walk": [Scene("Walk", (1,), "0")],
}
OTHERS: Mapping[str, tuple[str, Callable[[], "Picture | Figure"]]] = {
    "overlay": ("envs/overlay.png", overlay),
    "sprites": ("generative/sprites.png", sprites),
    "turning": ("generative/sprites.gif", turning),
    "frames": ("generative/frames.png", frames),
    "ring": ("generative/ring.png", ring),
}


def side_by_side(scenes: Sequence[Scene]) -> Picture:
    """Return the moments of all scenes in a row."""
    pictures = [picture for scene in scenes for picture in scene.pictures()]
    gap = np.full((len(pictures[0]), GAP, 3), 255, np.uint8)
    row = [piece for picture in pictures for piece in (gap, picture)]
    return np.concatenate(row[1:], axis=1)
