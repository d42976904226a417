"""Catch: move a paddle under a falling ball."""

from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from envs.core import Dynamics
from envs.numbers import Number, Numbers
from envs.random import Random


class CatchState(NamedTuple):
    """Where the ball and the paddle are."""

    column: Number
    row: Number
    paddle: Number


class Catch(Dynamics[CatchState]):
    """Catch's dynamics."""

    rows, columns = 10, 5

    def __init__(self) -> None:
        self.observation_space = spaces.Box(0, 1, (self.rows, self.columns), np.float32)
        self.action_space = spaces.Discrete(3)

    def initial(self, xp: Numbers, random: Random) -> CatchState:
        """Drop the ball from a random column."""
        return CatchState(random.below(self.columns), 0, self.columns // 2)

    def step(
        self, xp: Numbers, state: CatchState, action: Number, random: Random
    ) -> tuple[CatchState, Number, Number]:
        """Move the paddle by action - 1 and the ball down by one row."""
        row = state.row + 1
        paddle = xp.clip(state.paddle + action - 1, 0, self.columns - 1)
        over = row == self.rows - 1
        reward = xp.where(over, xp.where(paddle == state.column, 1.0, -1.0), 0.0)
        return CatchState(state.column, row, paddle), reward, over

    def observe(self, xp: Numbers, state: CatchState) -> np.ndarray:
        """Return the board."""
        ball = state.row * self.columns + state.column
        return xp.image(
            (self.rows, self.columns),
            np.float32,
            ball,
            (self.rows - 1) * self.columns + state.paddle,
        )
