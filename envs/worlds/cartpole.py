"""CartPole: balance a pole on a cart by pushing the cart left or right.

The physics are those of Gymnasium's CartPole-v1 (Barto, Sutton and Anderson, 1983, "Neuronlike
adaptive elements that can solve difficult learning control problems"), one Euler step of 20 ms.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from ..dynamics import Dynamics
from ..numbers import Array, Number, Numbers, Table
from ..pictures.drawing import Frames, bar, blend, box, copies, disc, paste
from ..random import Random

GRAVITY = 9.8  # m/s²
POLE_MASS, TOTAL_MASS = 0.1, 1.1  # kg
HALF_LENGTH = 0.5  # m, from the pivot to the pole's centre of mass
PUSH = 10.0 / TOTAL_MASS  # m/s², of the cart by a force of 10 N
LEVER = POLE_MASS * HALF_LENGTH / TOTAL_MASS  # m
INERTIA = HALF_LENGTH * 4.0 / 3.0  # m
SECONDS = 0.02
FARTHEST = 2.4  # m from the middle
STEEPEST = np.radians(12.0).item()  # from upright

_HEIGHT, _WIDTH = 288, 480  # pixels of a frame
_SCALE = 80  # pixels per metre
_PIVOT = 104  # pixels from a sprite's first row
_SPRITE = 128, 80
_TURNS = 97  # sprites, one per half degree from -24° to 24°


class CartPoleState(NamedTuple):
    """Where the cart and the pole are (m, rad) and how fast they move (m/s, rad/s)."""

    position: Number
    velocity: Number
    angle: Number
    spin: Number


class CartPole(Dynamics[CartPoleState]):
    """A pole stands on a cart; every step on which an episode runs is worth 1.

    The episode ends where the cart is farther than 2.4 m or the pole steeper than 12°.
    """

    render_fps = 50
    keys = {"left": 0, "a": 0, "right": 1, "d": 1}  # noqa: RUF012

    def __init__(self) -> None:
        high = np.array([2 * FARTHEST, np.inf, 2 * STEEPEST, np.inf], np.float32)
        self.observation_space = spaces.Box(-high, high)
        self.action_space = spaces.Discrete(2)
        self._push = Table([-PUSH, PUSH])

    def initial(self, xp: Numbers, random: Random) -> CartPoleState:
        """Begin near the balance: every number is uniform in [-0.05, 0.05)."""
        return CartPoleState(*random.uniforms(4, -0.05, 0.05))

    def step(
        self, xp: Numbers, state: CartPoleState, action: Number, random: Random
    ) -> tuple[CartPoleState, Number, Number]:
        """Push for 20 ms.

        With lever l = m·h/M, the push p and accelerations of pole and cart are
        p = ±F/M + l·ω²·sin θ,  α = (g·sin θ - p·cos θ) / (4h/3 - l·cos²θ),  a = p - l·α·cos θ.
        """
        position, velocity, angle, spin = state
        sin = xp.sin(angle)
        cos_squared = 1.0 - sin * sin
        cos = xp.sqrt(cos_squared)  # an episode ends long before the pole hangs
        push = xp.take(self._push, action) + LEVER * (spin * spin * sin)
        spin_rate = (GRAVITY * sin - push * cos) / (INERTIA - LEVER * cos_squared)
        acceleration = push - LEVER * (spin_rate * cos)
        position = position + SECONDS * velocity
        velocity = velocity + SECONDS * acceleration
        angle = angle + SECONDS * spin
        spin = spin + SECONDS * spin_rate
        fallen = (abs(position) > FARTHEST) | (abs(angle) > STEEPEST)
        return CartPoleState(position, velocity, angle, spin), 1.0, fallen

    def observe(self, xp: Numbers, state: CartPoleState) -> Array:
        """Return the state, float32 `[4]`."""
        return xp.stack(state, np.float32)

    def frames(self, state: CartPoleState) -> Frames:
        """Return pictures `[N, 288, 480, 3]`."""
        background, sprites = _pictures()
        frames = copies(background, len(state.position))
        turns = np.rint(2 * np.degrees(state.angle)).astype(int).clip(-48, 48) + _TURNS // 2
        columns = np.rint(_SCALE * state.position.clip(-2.5, 2.5)).astype(int)
        top = _HEIGHT // 2 - _PIVOT + 48
        paste(frames, sprites[turns], [top] * len(frames), columns + (_WIDTH - _SPRITE[1]) // 2)
        return frames

    def text(self, state: CartPoleState) -> list[str]:
        """Return the four numbers with their units."""
        return [
            f"position {x:+.3f} m, {v:+.3f} m/s; angle {np.degrees(a):+.2f}°, {s:+.3f} rad/s"
            for x, v, a, s in zip(*state, strict=True)
        ]


@cache
def _pictures() -> tuple[Frames, Frames]:
    """Return the background and the cart with its pole at every angle, `[97, 128, 80, 3]`."""
    sky = np.linspace((205, 224, 240), (243, 247, 250), _HEIGHT)  # lighter downwards
    background = np.tile(sky[:, None], (1, _WIDTH, 1)).astype(np.uint8)
    track = _HEIGHT // 2 + 48 + 16
    background[track : track + 2] = 96, 104, 116
    for metre in range(-2, 3):
        column = _WIDTH // 2 + metre * _SCALE
        background[track + 8 : track + 14, column - 1 : column + 1] = 150, 160, 172
    top = _HEIGHT // 2 - _PIVOT + 48
    empty = background[top : top + _SPRITE[0], : _SPRITE[1]]
    pivot = float(_PIVOT), _SPRITE[1] / 2
    sprites = []
    for angle in np.radians(np.linspace(-24.0, 24.0, _TURNS)):
        tip = pivot[0] - _SCALE * np.cos(angle), pivot[1] + _SCALE * np.sin(angle)
        sprite = blend(empty, box(_SPRITE, (pivot[0] + 2, pivot[1]), (9, 24), 4), (43, 58, 82))
        for side in (-14, 14):
            sprite = blend(sprite, disc(_SPRITE, (pivot[0] + 11, pivot[1] + side), 5), (24, 32, 46))
        sprite = blend(sprite, bar(_SPRITE, pivot, tip, 4.0), (214, 126, 60))
        sprite = blend(sprite, disc(_SPRITE, pivot, 3.0), (243, 247, 250))
        sprites.append(sprite)
    return background, np.stack(sprites)
