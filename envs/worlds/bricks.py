"""Bricks: keep a ball in the air with a paddle and break a wall with it.

A game in the manner of Breakout (Atari, 1976), small enough to be learned on a laptop, after the
example of MinAtar (Young and Tian, 2019, "MinAtar: an Atari-inspired testbed").
"""

from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from gymnasium import spaces

from ..dynamics import Dynamics
from ..numbers import Array, Number, Numbers
from ..pictures.boards import board_space, enlarge
from ..pictures.drawing import Colour, Frames, blend, box, copies, disc, mosaic
from ..random import Random

SIDE = 10  # rows and columns of the board
TOP, WALL_ROWS = 1, 3  # the wall's first row, and how many it has
BRICKS = WALL_ROWS * SIDE
WALL = (1 << BRICKS) - 1  # bit 10·r + c is the brick in column c of the wall's row r
START_ROW = TOP + WALL_ROWS
PADDLE_ROW = SIDE - 1
_BITS = np.arange(BRICKS)
_PADDLE, _BALL, _TRAIL, _WALL = range(4)  # planes of the board


class BricksState(NamedTuple):
    """The ball, where it goes (±1 row and column a step), the paddle's left half, the wall."""

    row: Number
    column: Number
    down: Number
    right: Number
    paddle: Number
    bricks: Number


class Bricks(Dynamics[BricksState]):
    """A ball flies diagonally, one cell a step, and bounces off the frame, bricks and the paddle.

    A brick breaks when the ball would enter it, and pays 1. A ball that passes the paddle ends the
    episode. On the paddle an empty wall is built up anew.

    Args:
        obs: "pixels" for uint8 `[42, 42, 1]`, "board" for float32 `[4, 10, 10]`.
    """

    render_fps = 10
    keys = {"left": 0, "a": 0, "right": 2, "d": 2}  # noqa: RUF012
    noop = 1

    def __init__(self, obs: Literal["pixels", "board"] = "pixels") -> None:
        self.observation_space = board_space(obs, 4, SIDE)
        self._pixels = obs == "pixels"
        self.action_space = spaces.Discrete(3)

    def initial(self, xp: Numbers, random: Random) -> BricksState:
        """Drop the ball under a whole wall, from any column to either side."""
        right, column = 2 * random.below(2) - 1, random.below(SIDE, draw=1)
        return BricksState(START_ROW, column, 1, right, SIDE // 2 - 1, WALL)

    def step(
        self, xp: Numbers, state: BricksState, action: Number, random: Random
    ) -> tuple[BricksState, Number, Number]:
        """Move the paddle by action - 1, then the ball."""
        paddle = xp.clip(state.paddle + action - 1, 0, SIDE - 2)
        # the frame: the ball turns around beside it, and keeps its column or row
        row, column = state.row + state.down, state.column + state.right
        down = xp.where(row < 0, 1, state.down)
        right = xp.where((column < 0) | (column >= SIDE), -state.right, state.right)
        row, column = xp.maximum(row, 0), xp.clip(column, 0, SIDE - 1)
        # the wall and the paddle: the ball stays where it was, and turns up or down
        brick = xp.clip((row - TOP) * SIDE + column, 0, BRICKS - 1)
        breaks = (row >= TOP) & (row < START_ROW) & (state.bricks >> brick & 1 == 1)
        lands = row == PADDLE_ROW
        half = column - paddle  # 0 on the paddle's left half, 1 on its right one
        returns = lands & ((half == 0) | (half == 1))
        stays = breaks | returns
        bricks = state.bricks - xp.where(breaks, 1 << brick, 0)
        moved = BricksState(
            row=xp.where(stays, state.row, row),
            column=xp.where(stays, state.column, column),
            down=xp.where(stays, -down, down),
            right=xp.where(returns, 2 * half - 1, right),
            paddle=paddle,
            bricks=xp.where(returns & (bricks == 0), WALL, bricks),
        )
        return moved, xp.where(breaks, 1.0, 0.0), lands & (returns ^ True)

    def observe(self, xp: Numbers, state: BricksState) -> Array:
        """Return the planes of the paddle, the ball, where it comes from and the wall."""
        plane = SIDE * SIDE
        paddle = PADDLE_ROW * SIDE + state.paddle
        trail = xp.clip(state.row - state.down, 0, SIDE - 1) * SIDE
        trail = trail + xp.clip(state.column - state.right, 0, SIDE - 1)
        ball = _BALL * plane + state.row * SIDE + state.column
        board = xp.image(
            (4, SIDE, SIDE),
            np.uint8 if self._pixels else np.float32,
            *(paddle, paddle + 1, ball, _TRAIL * plane + trail),
        )
        standing = xp.every(state.bricks) >> _BITS & 1  # [..., 30]
        board[..., _WALL, TOP:START_ROW, :] = standing.reshape(*board.shape[:-3], WALL_ROWS, SIDE)
        if not self._pixels:
            return board
        paddle, ball, trail, wall = (board[..., k, :, :] for k in range(4))
        return enlarge(160 * paddle + 215 * ball + 40 * trail + 96 * wall)

    def frames(self, state: BricksState) -> Frames:
        """Return pictures `[N, 352, 352, 3]`."""
        n = np.arange(len(state.row))
        standing = (state.bricks[:, None] >> _BITS & 1).reshape(-1, WALL_ROWS, SIDE)
        codes = np.zeros((len(n), SIDE, SIDE), int)
        behind = state.row - state.down, state.column - state.right
        seen = (np.minimum(*behind) >= 0) & (np.maximum(*behind) < SIDE)
        code = _COMING + (state.down + 1) + (state.right + 1) // 2
        codes[n[seen], behind[0][seen], behind[1][seen]] = code[seen]
        wall = codes[:, TOP:START_ROW]
        wall[:] = np.where(standing, np.arange(_BRICK, _BRICK + WALL_ROWS)[:, None], wall)
        codes[n, PADDLE_ROW, state.paddle] = _LEFT_HALF
        codes[n, PADDLE_ROW, state.paddle + 1] = _RIGHT_HALF
        codes[n, state.row, state.column] = _FLYING
        background, tiles = _pictures()
        frames = copies(background, len(n))
        frames[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN] = mosaic(tiles, codes)
        return frames

    def text(self, state: BricksState) -> list[str]:
        """Return the board with # for bricks, o for the ball and = for the paddle."""
        texts = []
        for row, column, _, _, paddle, bricks in zip(*state, strict=True):
            board = np.full((SIDE, SIDE), ".")
            board[TOP:START_ROW][(bricks >> _BITS & 1).reshape(WALL_ROWS, SIDE) == 1] = "#"
            board[PADDLE_ROW, paddle : paddle + 2] = "="
            board[row, column] = "o"
            texts.append("\n".join("".join(line) for line in board))
        return texts


_TILE, _MARGIN = 32, 16  # pixels of a frame per cell, and around the board
_FLYING, _LEFT_HALF, _RIGHT_HALF, _BRICK, _COMING = 1, 2, 3, 4, 7  # numbers of tiles; 0 is empty
_COLOURS: tuple[Colour, ...] = ((226, 74, 83), (240, 140, 60), (244, 196, 72))  # of the wall's rows


@cache
def _pictures() -> tuple[Frames, Frames]:
    """Return the background and the tiles of all kinds of cells, `[11, 32, 32, 3]`."""
    tile, middle = (_TILE, _TILE), (_TILE / 2, _TILE / 2)
    night = (18, 24, 43)
    empty = np.full((*tile, 3), night, np.uint8)
    ball = blend(empty, disc(tile, middle, 10.0), (236, 240, 246))
    ball = blend(ball, 0.8 * disc(tile, (13.0, 13.0), 3.5), (255, 255, 255))
    tail = empty  # of a ball that comes from the upper left
    for centre, radius, light in ((8.0, 2.5, 0.2), (16.0, 3.5, 0.3), (25.0, 5.0, 0.4)):
        tail = blend(tail, light * disc(tile, (centre, centre), radius), (236, 240, 246))
    whole = (_TILE, 2 * _TILE)
    paddle = np.full((*whole, 3), night, np.uint8)
    paddle = blend(paddle, box(whole, (12.0, 32.0), (7.0, 31.0), 7.0), (64, 196, 180))
    paddle = blend(paddle, 0.5 * box(whole, (8.5, 32.0), (1.5, 25.0), 1.5), (206, 250, 240))
    bricks = []
    for colour in _COLOURS:
        brick = blend(empty, box(tile, middle, (14.5, 14.5), 4.0), colour)
        brick = blend(brick, 0.35 * box(tile, (6.0, 16.0), (2.0, 11.0), 2.0), (255, 255, 255))
        bricks.append(blend(brick, 0.25 * box(tile, (27.0, 16.0), (2.5, 13.0), 2.5), night))
    tails = tail[::-1, ::-1], tail[::-1], tail[:, ::-1], tail
    tiles = [empty, ball, paddle[:, :_TILE], paddle[:, _TILE:], *bricks, *tails]
    side = SIDE * _TILE + 2 * _MARGIN
    background = np.full((side, side, 3), night, np.uint8)
    inner = box((side, side), (side / 2 + 8, side / 2), (side / 2 - 8, side / 2 - 12), 8.0)
    background = blend(background, 1.0 - inner, (88, 99, 130))
    return background, np.stack(tiles)
