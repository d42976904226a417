"""Reach: row a boat to its buoy against the current, a world of goals."""

from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from ..dynamics import Dynamics
from ..numbers import Array, Number, Numbers
from ..pictures.drawing import Coverage, Frames, bar, blend, box, copies, disc
from ..random import Random

STROKE = 0.1  # how far a step rows along each axis, at most
CURRENT = 0.05  # how far it is carried off, at most
REACHED = 0.1  # distance at which the boat is at its buoy
GRAIN = 2.0**-16  # places are multiples of it, which float32 holds: rewards asked of them are exact

_SIDE = 320  # pixels of a frame
_SCALE = 136  # pixels of a unit of length
_SPRITE = 41  # pixels of boat and buoy
_ARROW = 400  # pixels per unit of current

Goals = npt.NDArray[np.floating]


class ReachState(NamedTuple):
    """Where the boat and the buoy are, in [-1, 1], and how far a step drifts."""

    x: Number
    y: Number
    goal_x: Number
    goal_y: Number
    drift_x: Number
    drift_y: Number


class Reach(Dynamics[ReachState]):
    """A boat on a square lake should reach its buoy, and stay there against the current.

    x ← clip(x + 0.1·a + drift), both axes alike; the reward is -distance after the step.

    Args:
        reward: "dense" for -distance, "sparse" for 0 within 0.1 of the buoy and -1 elsewhere.
    """

    render_fps = 10
    keys = {  # noqa: RUF012
        key: np.array(stroke, np.float32)
        for names, stroke in (
            (("up", "w"), (0, 1)),
            (("right", "d"), (1, 0)),
            (("down", "s"), (0, -1)),
            (("left", "a"), (-1, 0)),
        )
        for key in names
    }
    noop = np.zeros(2, np.float32)

    def __init__(self, reward: Literal["dense", "sparse"] = "dense") -> None:
        if reward not in ("dense", "sparse"):
            raise ValueError(f"reward is 'dense' or 'sparse', got {reward!r}")
        self._sparse = reward == "sparse"
        place = spaces.Box(-1.0, 1.0, (2,), np.float32)
        farthest = np.array([1.0, 1.0, CURRENT, CURRENT], np.float32)
        self.observation_space = spaces.Dict(
            {
                "achieved_goal": place,
                "desired_goal": place,
                "observation": spaces.Box(-farthest, farthest, dtype=np.float32),
            }
        )
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def initial(self, xp: Numbers, random: Random) -> ReachState:
        """Put the boat and the buoy anywhere, in any current."""
        x, y, goal_x, goal_y, right, up = random.uniforms(6, -1.0, 1.0)
        boat, buoy = (_grained(x), _grained(y)), (_grained(goal_x), _grained(goal_y))
        return ReachState(*boat, *buoy, CURRENT * right, CURRENT * up)

    def step(
        self, xp: Numbers, state: ReachState, action: Number, random: Random
    ) -> tuple[ReachState, Number, Number]:
        """Row and drift."""
        x, y, goal_x, goal_y, drift_x, drift_y = state
        right, up = action
        x = _grained(xp.clip(x + STROKE * right + drift_x, -1.0, 1.0))
        y = _grained(xp.clip(y + STROKE * up + drift_y, -1.0, 1.0))
        beside, above = x - goal_x, y - goal_y
        distance = xp.sqrt(beside * beside + above * above)
        reward = xp.where(distance <= REACHED, 0.0, -1.0) if self._sparse else -distance
        return ReachState(x, y, goal_x, goal_y, drift_x, drift_y), reward, False

    def observe(self, xp: Numbers, state: ReachState) -> dict[str, Array]:
        """Return where the boat is, where it should be, and the place with the current."""
        return {
            "achieved_goal": xp.stack((state.x, state.y), np.float32),
            "desired_goal": xp.stack((state.goal_x, state.goal_y), np.float32),
            "observation": xp.stack((state.x, state.y, state.drift_x, state.drift_y), np.float32),
        }

    def compute_reward(self, achieved_goal: Goals, desired_goal: Goals, info: Any) -> Goals:
        """Return the rewards `[*]` of goals `[*, 2]`, as those ask who learn from other goals."""
        away = np.subtract(achieved_goal, desired_goal, dtype=np.float64)  # [*, 2]
        distance = np.sqrt(away[..., 0] * away[..., 0] + away[..., 1] * away[..., 1])
        return np.where(distance <= REACHED, 0.0, -1.0) if self._sparse else -distance

    def frames(self, state: ReachState) -> Frames:
        """Return pictures `[N, 320, 320, 3]`."""
        background, buoy, boat = _pictures()
        frames = copies(background, len(state.x))
        for frame, x, y, goal_x, goal_y, drift_x, drift_y in zip(frames, *state, strict=True):
            _paint(frame, buoy, goal_x, goal_y)
            _paint(frame, boat, x, y)
            middle, tip = _SPRITE / 2, (_ARROW * drift_x + 1e-9, _ARROW * drift_y)
            arrow = bar((_SPRITE,) * 2, (middle,) * 2, (middle - tip[1], middle + tip[0]), 2.0)
            _paint(frame, [(arrow, (43, 58, 82))], x, y)
        return frames

    def text(self, state: ReachState) -> list[str]:
        """Return the numbers, two by two."""
        return [
            f"boat {x:+.3f} {y:+.3f}, buoy {goal_x:+.3f} {goal_y:+.3f}, "
            f"current {drift_x:+.3f} {drift_y:+.3f}"
            for x, y, goal_x, goal_y, drift_x, drift_y in zip(*state, strict=True)
        ]


def _grained(x: Number) -> Number:
    return x - x % GRAIN


Sprite = list[tuple[Coverage, tuple[int, int, int]]]


def _paint(frame: Frames, sprite: Sprite, x: float, y: float) -> None:
    """Paint shapes, one over the other, around a place into a frame `[H, W, 3]`."""
    row, column = (round(_SIDE / 2 + _SCALE * at - _SPRITE / 2) for at in (-y, x))
    patch = frame[row : row + _SPRITE, column : column + _SPRITE]
    for shape, colour in sprite:
        patch[:] = blend(patch, shape, colour)


@cache
def _pictures() -> tuple[Frames, Sprite, Sprite]:
    """Return the lake, the buoy and the boat."""
    whole, centre = (_SIDE, _SIDE), (_SIDE / 2, _SIDE / 2)
    half, middle, size = _SCALE + 20.0, (_SPRITE / 2, _SPRITE / 2), (_SPRITE, _SPRITE)
    lake = np.full((*whole, 3), (222, 205, 170), np.uint8)
    lake = blend(lake, box(whole, centre, (half, half), 14.0), (168, 208, 230))
    for ring in range(3):
        line = disc(whole, centre, 40.0 + 45 * ring) - disc(whole, centre, 38.0 + 45 * ring)
        lake = blend(lake, line, (184, 218, 236))
    buoy = [
        (disc(size, middle, _SCALE * REACHED), (206, 226, 236)),
        (disc(size, middle, 9.0), (226, 74, 83)),
        (disc(size, middle, 4.0), (255, 255, 255)),
    ]
    boat = [
        (disc(size, middle, 12.0), (43, 58, 82)),
        (disc(size, middle, 9.5), (64, 196, 180)),
    ]
    return lake, buoy, boat
