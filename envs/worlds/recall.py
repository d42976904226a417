"""Recall: walk down a corridor, then turn to the side that a sign showed at its beginning.

The T-maze of Bakker (2002, "Reinforcement learning with long short-term memory"), reduced to
what it asks: nothing but a memory tells the sides apart.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from ..dynamics import Dynamics
from ..numbers import Array, Number, Numbers
from ..pictures.drawing import Frames, bar, blend, box, disc, mosaic
from ..pictures.sprites import LAYERS, SHAPE, SIDE, WHITE
from ..random import Random

_ROWS, _COLUMNS = 9, 7  # cells of a frame; the walker is in the middle of row 6
_ROW = 6
_TILE = 32  # pixels of a frame per cell
_LAMP = 5  # cells from lamp to lamp on the corridor's walls
_TILES = ("wall", "lamp", "floor", "door", "flag", "stop", "agent", "left", "right")
_WALL, _LIT, _FLOOR, _DOOR, _FLAG, _STOP, _AGENT, _LEFT, _RIGHT = range(len(_TILES))


class RecallState(NamedTuple):
    """What the sign shows, -1 or 1, cells walked, and the side turned to, 0 before the turn."""

    sign: Number
    position: Number
    side: Number


class Recall(Dynamics[RecallState]):
    """A corridor with a sign at its beginning and a junction at its end.

    Every step leads one cell ahead, whatever the action; at the junction the action is the turn.
    To turn to the sign's side pays 1, to the other 0, and the episode ends.

    Args:
        length: Steps from the sign to the junction, at least 1.
    """

    render_fps = 8
    keys = {"left": 0, "a": 0, "right": 1, "d": 1}  # noqa: RUF012

    def __init__(self, length: int = 20) -> None:
        if length < 1:
            raise ValueError(f"length is a number of steps from 1, got {length}")
        self.length = length
        self.observation_space = spaces.Box(np.array([-1, 0], np.float32), 1.0)
        self.action_space = spaces.Discrete(2)

    def initial(self, xp: Numbers, random: Random) -> RecallState:
        """Hang up a sign for either side with equal chances."""
        return RecallState(2 * random.below(2) - 1, 0, 0)

    def step(
        self, xp: Numbers, state: RecallState, action: Number, random: Random
    ) -> tuple[RecallState, Number, Number]:
        """Walk one cell ahead, or turn."""
        turns = state.position == self.length
        side = xp.where(turns, 2 * action - 1, 0)
        reward = xp.where(side == state.sign, 1.0, 0.0)
        position = xp.minimum(state.position + 1, self.length)
        return RecallState(state.sign, position, side), reward, turns

    def observe(self, xp: Numbers, state: RecallState) -> Array:
        """Return the sign, 0 where it is out of sight, and 1 at the junction, float32 `[2]`."""
        sign = xp.where(state.position == 0, state.sign, 0)
        return xp.stack((sign, state.position == self.length), np.float32)

    def frames(self, state: RecallState) -> Frames:
        """Return pictures `[N, 288, 224, 3]` that go along with the walker."""
        sign, position, side = (field[:, None, None] for field in state)
        ahead = position + _ROW - np.arange(_ROWS)[:, None]  # cells from the sign [N, rows, 1]
        column = np.arange(_COLUMNS) - _COLUMNS // 2  # [columns]
        junction, inside = ahead == self.length, (ahead >= 0) & (ahead < self.length)
        codes = np.where((inside | junction) & (column == 0), _FLOOR, _WALL)
        codes[inside & (abs(column) == 1) & (ahead % _LAMP == 0)] = _LIT
        codes[junction & (abs(column) == 1)] = _FLOOR
        end = np.where(side == 0, _DOOR, np.where(column == 2 * sign, _FLAG, _STOP))
        codes = np.where(junction & (abs(column) == 2), end, codes)
        shown = np.where(sign < 0, _LEFT, _RIGHT)
        codes = np.where((position == 0) & (ahead == 0) & (column == sign), shown, codes)
        codes[np.arange(len(codes)), _ROW, state.side + _COLUMNS // 2] = _AGENT
        return mosaic(_tiles(), codes)

    def text(self, state: RecallState) -> list[str]:
        """Return the way: the sign, the walker @, the junction T, and the turn that was taken."""
        texts = []
        for sign, position, side in zip(*state, strict=True):
            way = ["?" if position else "<" if sign < 0 else ">", *"." * self.length, "T"]
            way[position + 1 if side == 0 else -1] = "@"
            turned = f" turned {'left' if side < 0 else 'right'}: {float(side == sign):g}"
            texts.append("".join(way) + (turned if side else ""))
        return texts


@cache
def _tiles() -> Frames:
    """Return the pictures of all kinds of cells, `[K, t, t, 3]`."""
    blank = np.zeros((*SHAPE, 3), np.uint8)
    floor, wall = LAYERS["floor"](blank), LAYERS["wall"](blank)
    lamp = blend(wall, 0.35 * disc(SHAPE, (52, 64), 40), (255, 222, 130))
    lamp = blend(lamp, disc(SHAPE, (52, 64), 17), (255, 236, 170))
    door = blend(floor, box(SHAPE, (64, 64), (48, 40), 12), (150, 108, 78))
    door = blend(door, box(SHAPE, (64, 64), (40, 32), 8), (178, 132, 94))
    door = blend(door, disc(SHAPE, (64, 86), 6), (250, 200, 80))
    board = blend(wall, box(SHAPE, (54, 64), (44, 56), 12), (226, 74, 83))
    for end in (32, 76):
        board = blend(board, bar(SHAPE, (54, 32), (end, 56), 7.0), WHITE)
    left = blend(board, bar(SHAPE, (54, 34), (54, 98), 7.0), WHITE)
    flag, stop = LAYERS["flag"](floor), LAYERS["stop"](floor)
    pictures = (wall, lamp, floor, door, flag, stop, LAYERS["agent"](floor), left, left[:, ::-1])
    zoom = SIDE // _TILE
    tiles = np.stack(pictures).reshape(-1, _TILE, zoom, _TILE, zoom, 3).mean(axis=(2, 4))
    return np.rint(tiles).astype(np.uint8)
