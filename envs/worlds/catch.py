"""Catch: move a paddle under a falling ball (bsuite's smallest task with pictures)."""

from functools import cache
from itertools import repeat
from typing import Literal, NamedTuple

import numpy as np
from gymnasium import spaces

from ..dynamics import Dynamics
from ..numbers import Array, Number, Numbers, Pictures
from ..pictures.drawing import Frames, blend, box, copies, disc, paste
from ..random import Random

ROWS, COLUMNS = 10, 5
_CELL = 32  # pixels of a frame per cell
_FRAME = 2  # black pixels around the board: the windows of the Nature network tile 36 + 8k pixels,
# and of a picture of 40 would miss the last four, where the paddle is


class CatchState(NamedTuple):
    """Where the ball and the paddle are; the paddle moves in the last row."""

    row: Number
    column: Number
    paddle: Number


class Catch(Dynamics[CatchState]):
    """A ball falls by one row a step; the paddle moves left, stays or moves right.

    The reward is 1 if the ball lands on the paddle, -1 if beside it, and the episode ends.

    Args:
        obs: "pixels" for uint8 `[44, 44, 1]`, "board" for float32 `[10, 5]`.
    """

    render_fps = 8
    keys = {"left": 0, "a": 0, "right": 2, "d": 2}  # noqa: RUF012
    noop = 1

    def __init__(self, obs: Literal["pixels", "board"] = "pixels") -> None:
        states = ROWS * COLUMNS * COLUMNS
        boards = np.zeros((states, ROWS, COLUMNS), np.float32)
        balls, paddles = np.divmod(np.arange(states), COLUMNS)
        boards.reshape(states, -1)[np.arange(states), balls] = 1.0
        boards[np.arange(states), -1, paddles] = 1.0
        self.observation_space: spaces.Box
        if obs == "board":
            self._pictures = Pictures(boards)
            self.observation_space = spaces.Box(0.0, 1.0, (ROWS, COLUMNS), np.float32)
        elif obs == "pixels":
            pixels = (255 * boards).astype(np.uint8).repeat(4, axis=1).repeat(8, axis=2)
            frame = (0, 0), (_FRAME, _FRAME), (_FRAME, _FRAME)
            self._pictures = Pictures(np.pad(pixels, frame)[..., None])  # [250, 44, 44, 1]
            self.observation_space = spaces.Box(0, 255, (44, 44, 1), np.uint8)
        else:
            raise ValueError(f"obs is 'pixels' or 'board', got {obs!r}")
        self.action_space = spaces.Discrete(3)

    def initial(self, xp: Numbers, random: Random) -> CatchState:
        """Drop the ball from a random column; the paddle waits in the middle."""
        return CatchState(0, random.below(COLUMNS), COLUMNS // 2)

    def step(
        self, xp: Numbers, state: CatchState, action: Number, random: Random
    ) -> tuple[CatchState, Number, Number]:
        """Move the paddle by action - 1 and the ball down."""
        row = state.row + 1
        paddle = xp.clip(state.paddle + action - 1, 0, COLUMNS - 1)
        landed = row == ROWS - 1
        reward = xp.where(landed, xp.where(paddle == state.column, 1.0, -1.0), 0.0)
        return CatchState(row, state.column, paddle), reward, landed

    def observe(self, xp: Numbers, state: CatchState) -> Array:
        """Return the board with the ball and the paddle."""
        index = (state.row * COLUMNS + state.column) * COLUMNS + state.paddle
        return xp.picture(self._pictures, index)

    def frames(self, state: CatchState) -> Frames:
        """Return pictures `[N, 320, 160, 3]`."""
        background, ball, paddle = _sprites()
        frames = copies(background, len(state.row))
        paste(frames, repeat(paddle), repeat((ROWS - 1) * _CELL), _pixel(state.paddle))
        caught = (state.row == ROWS - 1) & (state.column == state.paddle)
        balls = [ball[int(inside)] for inside in caught]
        paste(frames, balls, _pixel(state.row), _pixel(state.column))
        return frames

    def text(self, state: CatchState) -> list[str]:
        """Return the board with o for the ball and = for the paddle."""
        texts = []
        for row, column, paddle in zip(*state, strict=True):
            board = np.full((ROWS, COLUMNS), ".")
            board[-1, paddle] = "="
            board[row, column] = "o"
            texts.append("\n".join("".join(line) for line in board))
        return texts


def _pixel(cell: Array) -> list[int]:
    return (cell * _CELL).tolist()


@cache
def _sprites() -> tuple[Frames, tuple[Frames, Frames], Frames]:
    """Return the background, the ball in the air and in the paddle, and the paddle."""
    tile = (_CELL, _CELL)
    middle = (_CELL / 2, _CELL / 2)
    cell = np.full((*tile, 3), (190, 209, 229), np.uint8)
    cell = blend(cell, box(tile, middle, (15.0, 15.0), 4.0), (214, 228, 242))
    paddle = blend(cell, box(tile, (24.0, 16.0), (5.0, 15.0), 4.0), (24, 146, 134))

    def with_ball(image: Frames, centre: tuple[float, float]) -> Frames:
        image = blend(image, disc(tile, centre, 10.0), (240, 138, 36))
        return blend(image, 0.6 * disc(tile, (centre[0] - 3, centre[1] - 3), 3.0), (255, 240, 205))

    balls = with_ball(cell, middle), with_ball(paddle, (12.0, 16.0))
    return np.tile(cell, (ROWS, COLUMNS, 1)), balls, paddle
