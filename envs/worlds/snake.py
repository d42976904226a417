"""Snake: eat, grow, and bite neither the wall nor yourself (after Blockade, Gremlin, 1976)."""

from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from gymnasium import spaces

from ..dynamics import Dynamics
from ..grids.grid import DOWN, LEFT, MOVES, RIGHT, UP
from ..numbers import Array, Number, Numbers, Table
from ..pictures.boards import board_space, enlarge
from ..pictures.drawing import Frames, bar, blend, box, copies, disc, mosaic
from ..pictures.sprites import INK, SHAPE, WHITE
from ..pictures.sprites import SIDE as CANVAS
from ..random import Random

LENGTH = 3  # at the start
_DOWN, _RIGHT = Table(MOVES[:, 0]), Table(MOVES[:, 1])
_HEAD, _BODY, _FOOD = range(3)  # planes of the board


class SnakeState(NamedTuple):
    """Where the head is and goes, and when it entered each cell.

    The body is where it was in the last `length` steps: the cells with stamp > clock - length.
    """

    head: Number
    way: Number
    length: Number
    clock: Number
    food: Number
    stamps: Array


class Snake(Dynamics[SnakeState]):
    """A snake moves by one cell a step and grows by one cell whenever it eats, which pays 1.

    The episode ends when it runs into the border or its body, or fills the board.

    Args:
        size: Rows and columns of the board, from 4 to 32.
        obs: "pixels" for uint8 `[4·size + 2, 4·size + 2, 1]`, "board" for float32
            `[3, size, size]`.
    """

    render_fps = 8
    keys = {  # noqa: RUF012
        "up": UP,
        "w": UP,
        "right": RIGHT,
        "d": RIGHT,
        "down": DOWN,
        "s": DOWN,
        "left": LEFT,
        "a": LEFT,
    }
    real_time = True

    def __init__(self, size: int = 10, obs: Literal["pixels", "board"] = "pixels") -> None:
        if not 4 <= size <= 32:
            raise ValueError(f"size is a number of rows from 4 to 32, got {size}")
        self.size, self.cells = size, size * size
        self.observation_space = board_space(obs, 3, size)
        self._pixels = obs == "pixels"
        self.action_space = spaces.Discrete(4)

    def initial(self, xp: Numbers, random: Random) -> SnakeState:
        """Begin in the middle, on the way to the right."""
        head = (self.size // 2) * self.size + self.size // 2
        body = range(head - LENGTH + 1, head + 1)
        stamps = xp.image((self.cells,), np.int32, *body)
        for k in range(1, LENGTH):
            stamps += xp.image((self.cells,), np.int32, *body[k:])
        food = xp.nth(stamps == 0, random.below(self.cells - LENGTH))
        return SnakeState(head, RIGHT, LENGTH, LENGTH, food, stamps)

    def step(
        self, xp: Numbers, state: SnakeState, action: Number, random: Random
    ) -> tuple[SnakeState, Number, Number]:
        """Move the head to the next cell; the tail follows unless the snake eats."""
        head, way, length, clock, food, stamps = state
        size, last = self.size, self.size - 1
        way = xp.where((action - way) % 4 == 2, way, action)  # it cannot turn on the spot
        row, column = head // size + xp.take(_DOWN, way), head % size + xp.take(_RIGHT, way)
        cell = xp.clip(row, 0, last) * size + xp.clip(column, 0, last)
        outside = (row < 0) | (row > last) | (column < 0) | (column > last)
        bites = xp.at(stamps, cell) > clock + 1 - length  # the tail makes room
        crashes = outside | bites
        eats = (cell == food) & (crashes ^ True)
        # who crashes stays as it was
        head, way = xp.where(crashes, head, cell), xp.where(crashes, state.way, way)
        clock = xp.where(crashes, clock, clock + 1)
        length = xp.where(eats, length + 1, length)
        stamps = xp.put(stamps, head, clock)
        full = length == self.cells
        free = stamps <= xp.every(clock - length)
        next_food = xp.nth(free, random.below(self.cells - length))
        food = xp.where(eats, xp.where(full, head, next_food), food)
        moved = SnakeState(head, way, length, clock, food, stamps)
        return moved, xp.where(eats, 1.0, 0.0), crashes | full

    def observe(self, xp: Numbers, state: SnakeState) -> Array:
        """Return the head, the body, brighter where it is younger, and the food."""
        age = state.stamps - xp.every(state.clock - state.length)
        length = xp.every(state.length)
        if self._pixels:
            greys = (age > 0) * (60 + 120 * age // length)
            greys = xp.put(xp.put(greys, state.food, 220), state.head, 255)
            return enlarge(greys.astype(np.uint8).reshape(*greys.shape[:-1], self.size, self.size))
        marks = _HEAD * self.cells + state.head, _FOOD * self.cells + state.food
        board = xp.image((3, self.size, self.size), np.float32, *marks)
        body = (age > 0) * age / length
        board[..., _BODY, :, :] = body.reshape(*board.shape[:-3], self.size, self.size)
        return board

    def frames(self, state: SnakeState) -> Frames:
        """Return pictures `[N, H, W, 3]` of 32 pixels per cell and a border of 16."""
        n, size = np.arange(len(state.head)), self.size
        age = state.stamps - (state.clock - state.length)[:, None]
        age = np.pad(age.reshape(-1, size, size).clip(0), ((0, 0), (1, 1), (1, 1)))
        here = age[:, 1:-1, 1:-1]
        codes = np.zeros((len(n), size, size), int)
        for way, (down, right) in enumerate(MOVES):  # where the body goes on, one bit per direction
            there = age[:, 1 + down : 1 + down + size, 1 + right : 1 + right + size]
            codes += ((here > 0) & (there > 0) & (abs(here - there) == 1)) << way
        flat = codes.reshape(-1, self.cells)
        flat[n, state.food] = _APPLE
        flat[n, state.head] = _FACES + state.way
        dark = np.add.outer(np.arange(size), np.arange(size)) % 2
        side = size * _TILE + 2 * _MARGIN
        frames = copies(np.full((side, side, 3), _HEDGE, np.uint8), len(n))
        frames[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN] = mosaic(_tiles(), 2 * codes + dark)
        return frames

    def text(self, state: SnakeState) -> list[str]:
        """Return the board with @ for the head, o for the body and * for the food."""
        texts = []
        for head, _, length, clock, food, stamps in zip(*state, strict=True):
            board = np.where(stamps > clock - length, "o", ".")
            board[food], board[head] = "*", "@"
            texts.append("\n".join("".join(line) for line in board.reshape(self.size, -1)))
        return texts


_TILE, _MARGIN = 32, 16  # pixels of a frame per cell, and around the board
_APPLE, _FACES = 16, 17  # numbers of tiles after those of the 16 sets of directions
_MEADOW, _HEDGE = ((174, 214, 118), (164, 205, 109)), (92, 138, 72)
_SKIN, _STRIPE = (74, 112, 206), (122, 160, 240)
_EDGES = ((-40.0, 64.0), (64.0, 168.0), (168.0, 64.0), (64.0, -40.0))  # beyond the tile
_MIDDLE = (64.0, 64.0)


def _tube(canvas: Frames, ways: list[int]) -> Frames:
    """A piece of the body that goes on in these directions; the tail where there is but one."""
    tapers = len(ways) == 1
    for colour, radius in ((_SKIN, 44.0), (_STRIPE, 14.0)):
        for way in ways:
            if not tapers:
                canvas = blend(canvas, bar(SHAPE, _MIDDLE, _EDGES[way], radius), colour)
                continue
            tip = np.array(_MIDDLE) - 0.25 * (np.array(_EDGES[way]) - _MIDDLE)
            for share in np.linspace(0.0, 1.0, 40):
                row, column = (1 - share) * tip + share * np.array(_EDGES[way])
                round_ = disc(SHAPE, (row, column), radius * min(1.0, 0.35 + 1.05 * share))
                canvas = blend(canvas, round_, colour)
    return canvas


def _face(canvas: Frames) -> Frames:
    """A head that looks up."""
    canvas = blend(canvas, bar(SHAPE, (10, 64), (40, 64), 5.0), (226, 74, 83))
    canvas = blend(canvas, bar(SHAPE, (64, 64), _EDGES[DOWN], 44.0), _SKIN)
    canvas = blend(canvas, box(SHAPE, (64, 64), (44, 50), 40.0), _SKIN)
    canvas = blend(canvas, bar(SHAPE, (100, 64), _EDGES[DOWN], 14.0), _STRIPE)
    for column in (38, 90):
        canvas = blend(canvas, disc(SHAPE, (54, column), 19), WHITE)
        canvas = blend(canvas, disc(SHAPE, (49, column), 10), INK)
    return canvas


def _apple(canvas: Frames) -> Frames:
    """Food."""
    canvas = blend(canvas, 0.2 * box(SHAPE, (110, 64), (8, 34), 8), INK)
    for column in (52, 76):
        canvas = blend(canvas, disc(SHAPE, (70, column), 32), (226, 74, 83))
    canvas = blend(canvas, disc(SHAPE, (84, 64), 28), (226, 74, 83))
    canvas = blend(canvas, 0.6 * disc(SHAPE, (58, 44), 9), WHITE)
    canvas = blend(canvas, bar(SHAPE, (44, 64), (22, 70), 4), (122, 92, 78))
    return blend(canvas, bar(SHAPE, (30, 78), (22, 96), 8), (96, 168, 80))


@cache
def _tiles() -> Frames:
    """Return all kinds of cells on light and on dark meadow, `[2·21, 32, 32, 3]`."""
    pictures = []
    grounds = [np.full((*SHAPE, 3), colour, np.uint8) for colour in _MEADOW]
    for ways in range(16):
        body = [way for way in range(4) if ways >> way & 1]
        pictures += [_tube(ground, body) for ground in grounds]
    pictures += [_apple(ground) for ground in grounds]
    for way in range(4):
        pictures += [np.rot90(_face(ground), -way) for ground in grounds]
    zoom = CANVAS // _TILE
    tiles = np.stack(pictures).reshape(-1, _TILE, zoom, _TILE, zoom, 3).mean(axis=(2, 4))
    return np.rint(tiles).astype(np.uint8)
