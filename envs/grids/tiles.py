"""Grid worlds drawn by indexing: a picture is an array of tile numbers, looked up line by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from ..near import nearest
from ..pictures.drawing import Frames, mosaic
from ..pictures.sprites import LAYERS, SIDE
from .grid import Grid, Indices

Patch = npt.NDArray[np.float64]

_COLOURS = np.array([(146, 92, 196), (84, 132, 220), (72, 196, 160), (252, 226, 70)], np.float64)
_TINT = 0.8  # opacity of a value's colour


def tile_side(shape: tuple[int, int]) -> int:
    """Return the side of a tile in pixels, 16, 32 or 64, that makes a picture of about 256²."""
    rows, columns = shape
    return next((side for side in (16, 32) if side**2 * rows * columns >= 256**2), 64)


@cache
def _layer(name: str, side: int) -> tuple[Patch, Patch]:
    """Return what a layer lets through `[t, t, 3]` and what it adds `[t, t, 3]`, in [0, 255]."""
    if name not in LAYERS:
        raise ValueError(f"there is no tile layer {name!r}: {nearest(name, LAYERS)}")
    zoom = SIDE // side

    def painted(colour: int) -> Patch:
        canvas = LAYERS[name](np.full((SIDE, SIDE, 3), colour, np.uint8))
        return canvas.reshape(side, zoom, side, zoom, 3).mean(axis=(1, 3))

    black = painted(0)
    return (painted(255) - black) / 255.0, black


def _put(image: Patch, layers: str) -> Patch:
    """Return an image `[..., t, t, 3]` under layers, named from the lowest to the highest."""
    for name in layers.split():
        through, added = _layer(name, image.shape[-2])
        image = image * through + added
    return image


def _with_agent(tiles: Patch) -> Frames:
    """Return each tile `[T, t, t, 3]` without and with the agent on it, `[2T, t, t, 3]`."""
    tiles = np.rint(tiles)
    pairs = np.stack([tiles, np.rint(_put(tiles, "agent"))], axis=1)
    return pairs.reshape(-1, *tiles.shape[1:]).astype(np.uint8)


@dataclass(frozen=True)
class Board:
    """What is drawn of a grid.

    Args:
        grid: The map.
        tiles: Tiles, each followed by itself with the agent on it, uint8 `[2T, t, t, 3]`.
        codes: The number of the tile without agent at each place of each level, `[K, places]`.
    """

    grid: Grid
    tiles: Frames
    codes: Indices

    def frames(self, states: Indices) -> Frames:
        """Return the picture of each state, `[N, rows · t, columns · t, 3]`."""
        rows, columns = self.grid.shape
        level, place = np.divmod(self.grid.places[states], rows * columns)
        codes = self.codes[level]  # [N, places]
        codes[np.arange(len(states)), place] += 1
        return mosaic(self.tiles, codes.reshape(-1, rows, columns))

    def text(self, states: Indices) -> list[str]:
        """Return the map around each state, with brackets around the agent's cell."""
        rows, columns = self.grid.shape
        texts = []
        for level, place in zip(*np.divmod(self.grid.places[states], rows * columns), strict=True):
            lines = [
                [3 * mark if self.grid.legend[mark].wall else f" {mark} " for mark in row]
                for row in self.grid.rows[level * rows : (level + 1) * rows]
            ]
            row, column = divmod(place, columns)
            lines[row][column] = f"[{lines[row][column][1]}]"
            texts.append("\n".join("".join(line) for line in lines))
        return texts


def draw(grid: Grid) -> Board:
    """Return a grid's board.

    Raises:
        ValueError: A cell's tile has a layer that is none of `envs.pictures.sprites.LAYERS`.
    """
    side = tile_side(grid.shape)
    blank = np.zeros((side, side, 3))
    tiles = np.stack([_put(blank, cell.tile) for cell in grid.legend.values()])
    return Board(grid, _with_agent(tiles), 2 * grid.marks.reshape(grid.levels, -1))


def overlay(
    board: Board, values: npt.ArrayLike | None, policy: npt.ArrayLike | None, moves: Sequence[int]
) -> Board:
    """Return a board with a colour for each state's value and arrows for what is done there.

    Ends of an episode and cells that nobody stays in are left as they are.

    Args:
        board: The board of a grid with S states.
        values: `[S]`, coloured from the lowest (violet) to the highest (yellow).
        policy: Actions `[S]`, or their probabilities `[S, A]`, shown as opacity.
        moves: The move of each action.

    Raises:
        ValueError: The values or the policy have another shape.
    """
    grid = board.grid
    live = np.flatnonzero(~(grid.states_where("terminal") | grid.states_where("returns")))
    tiles = board.tiles[board.codes.ravel()].astype(np.float64)  # [places, t, t, 3]
    if values is not None:
        tint = _colours(_of_states(values, grid)[live])[:, None, None]
        tiles[grid.places[live]] += _TINT * (tint - tiles[grid.places[live]])
    if policy is not None:
        for move, strength in zip(moves, _strengths(policy, grid, len(moves)).T, strict=True):
            through, added = (np.rot90(patch, -move) for patch in _layer("arrow", tiles.shape[1]))
            under = tiles[grid.places[live]]
            opacity = strength[live, None, None, None]
            tiles[grid.places[live]] += opacity * (under * through + added - under)
    return Board(grid, _with_agent(tiles), 2 * np.arange(len(tiles)).reshape(grid.levels, -1))


def _of_states(numbers: npt.ArrayLike, grid: Grid) -> npt.NDArray[np.float64]:
    array = np.asarray(numbers, np.float64)
    if array.shape[:1] != grid.places.shape:
        raise ValueError(f"expected a row for each of {len(grid.places)} states: {array.shape}")
    return array


def _colours(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a colour `[K, 3]` for each value, from the lowest to the highest."""
    low, high = values.min(), values.max()
    share = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    stops = np.linspace(0.0, 1.0, len(_COLOURS))
    return np.stack([np.interp(share, stops, channel) for channel in _COLOURS.T], axis=-1)


def _strengths(policy: npt.ArrayLike, grid: Grid, actions: int) -> npt.NDArray[np.float64]:
    """Return each action's opacity in each state, `[S, A]`, 1 for the likeliest."""
    array = _of_states(policy, grid)
    if array.ndim == 1:
        return (array[:, None] == np.arange(actions)).astype(np.float64)
    if array.shape[1:] != (actions,):
        raise ValueError(f"expected {actions} probabilities in each state, got {array.shape}")
    return array / np.maximum(array.max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
