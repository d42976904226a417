"""PointMass: push a mass to the origin, a linear-quadratic problem whose optimum is known."""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from ..dynamics import Dynamics
from ..numbers import Array, Number, Numbers
from ..pictures.drawing import Frames, bar, blend, box, copies, disc, paste
from ..random import Random

SECONDS = 0.05
START = 1.0  # m from the origin, at rest
STRONGEST = 10.0  # m/s²
POSITION_COST, VELOCITY_COST, ACTION_COST = 1.0, 0.1, 0.01

_HEIGHT, _WIDTH = 160, 480  # pixels of a frame
_SCALE = 140  # pixels per metre
_FARTHEST = 1.14  # m; a mass beyond is drawn at the border
_SPRITE = 72, 160
_TOP = 40  # a sprite's first row
_ARROW = 30  # pixels per m/s
_SPEEDS = 41  # sprites, one per tenth of a metre per second from -2 to 2

Matrix = npt.NDArray[np.float64]


class PointMassState(NamedTuple):
    """Where the mass is, m, and how fast it moves, m/s."""

    position: Number
    velocity: Number


class PointMass(Dynamics[PointMassState]):
    """A mass on a line, pushed by accelerations; it should come to rest at the origin.

    x ← x + v·dt, v ← v + u·dt, at a reward of -(x² + 0.1·v² + 0.01·u²) before each step.
    """

    render_fps = 20
    keys = {  # noqa: RUF012
        key: np.array([push], np.float32)
        for key, push in (("left", -STRONGEST), ("a", -STRONGEST), ("right", 10.0), ("d", 10.0))
    }
    noop = np.zeros(1, np.float32)

    def __init__(self) -> None:
        self.observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
        self.action_space = spaces.Box(-STRONGEST, STRONGEST, (1,), np.float32)

    def initial(self, xp: Numbers, random: Random) -> PointMassState:
        """Begin at rest, one metre to the right."""
        return PointMassState(START, 0.0)

    def step(
        self, xp: Numbers, state: PointMassState, action: Number, random: Random
    ) -> tuple[PointMassState, Number, Number]:
        """Push for 50 ms."""
        position, velocity = state
        (push,) = action
        cost = POSITION_COST * (position * position) + VELOCITY_COST * (velocity * velocity)
        reward = -(cost + ACTION_COST * (push * push))
        moved = PointMassState(position + SECONDS * velocity, velocity + SECONDS * push)
        return moved, reward, False

    def observe(self, xp: Numbers, state: PointMassState) -> Array:
        """Return the state, float32 `[2]`."""
        return xp.stack(state, np.float32)

    def optimal_gain(self, discount: float = 0.99) -> Matrix:
        """Return K `[2]` of the optimal policy u = -K·(x, v), were actions not bounded."""
        return riccati(discount)[0]

    def optimal_return(self, discount: float = 0.99) -> float:
        """Return the discounted return of the optimal policy, -s₀ᵀ·P·s₀ without a time limit."""
        return -START * START * float(riccati(discount)[1][0, 0])

    def frames(self, state: PointMassState) -> Frames:
        """Return pictures `[N, 160, 480, 3]`."""
        background, sprites = _pictures()
        frames = copies(background, len(state.position))
        speeds = np.rint(10 * state.velocity.clip(-2.0, 2.0)).astype(int) + _SPEEDS // 2
        columns = np.rint(_SCALE * state.position.clip(-_FARTHEST, _FARTHEST)).astype(int)
        left = (_WIDTH - _SPRITE[1]) // 2
        paste(frames, sprites[speeds], [_TOP] * len(frames), (columns + left).tolist())
        return frames

    def text(self, state: PointMassState) -> list[str]:
        """Return the two numbers with their units."""
        return [f"position {x:+.3f} m, {v:+.3f} m/s" for x, v in zip(*state, strict=True)]


def riccati(discount: float) -> tuple[Matrix, Matrix]:
    """Return the optimal gain K `[2]` and the cost P `[2, 2]` that is left, sᵀ·P·s.

    The fixed point of the discounted Riccati recursion (Bertsekas, "Dynamic Programming and
    Optimal Control", volume 1, 3.1), with s' = A·s + B·u and the cost sᵀ·Q·s + R·u²:
    K = γ·(R + γ·Bᵀ·P·B)⁻¹·Bᵀ·P·A,  P = Q + γ·Aᵀ·P·(A - B·K)

    Args:
        discount: γ in (0, 1].
    """
    a, b = np.array([[1.0, SECONDS], [0.0, 1.0]]), np.array([0.0, SECONDS])
    q = np.diag([POSITION_COST, VELOCITY_COST])
    cost, before = q, np.zeros((2, 2))
    gain = np.zeros(2)
    while abs(cost - before).max() > 1e-12 * abs(cost).max():
        before = cost
        gain = discount * (b @ cost @ a) / (ACTION_COST + discount * (b @ cost @ b))
        cost = q + discount * a.T @ cost @ (a - np.outer(b, gain))
    return gain, cost


@cache
def _pictures() -> tuple[Frames, Frames]:
    """Return the background and the mass with an arrow for every speed, `[41, 72, 160, 3]`."""
    sky = np.linspace((205, 224, 240), (243, 247, 250), _HEIGHT)  # lighter downwards
    background = np.tile(sky[:, None], (1, _WIDTH, 1)).astype(np.uint8)
    rail = _TOP + _SPRITE[0] - 8
    background[rail : rail + 2] = 96, 104, 116
    shape = (_HEIGHT, _WIDTH)
    for tenth in range(-15, 16):
        column, length = _WIDTH / 2 + tenth * _SCALE / 10, 12 if tenth % 5 == 0 else 6
        mark = box(shape, (rail + 14 + length / 2, column), (length / 2, 1.0))
        background = blend(background, mark, (150, 160, 172))
    for centre in (rail + 38, 22):
        background = blend(background, disc(shape, (centre, _WIDTH / 2), 7.0), (226, 74, 83))
        background = blend(background, disc(shape, (centre, _WIDTH / 2), 3.0), (255, 255, 255))
    empty = background[_TOP : _TOP + _SPRITE[0], : _SPRITE[1]]
    middle = 46.0, _SPRITE[1] / 2
    mass = blend(empty, box(_SPRITE, (middle[0] + 1, middle[1]), (17, 17), 5), (43, 58, 82))
    mass = blend(mass, box(_SPRITE, middle, (13, 13), 4), (64, 196, 180))
    sprites = []
    for speed in np.linspace(-2.0, 2.0, _SPEEDS):
        tip, side = middle[1] + _ARROW * speed, np.sign(speed)
        arrow = bar(_SPRITE, (12.0, middle[1]), (12.0, tip + 1e-9), 2.5)
        for end in (6.0, 18.0):
            arrow = np.maximum(arrow, bar(_SPRITE, (12.0, tip), (end, tip - 6 * side), 2.5))
        sprites.append(blend(mass, arrow * bool(side), (214, 126, 60)))
    return background, np.stack(sprites)
