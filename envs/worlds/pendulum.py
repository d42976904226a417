"""Pendulum: swing a rod up and hold it there with a torque that is too weak to lift it at once.

The physics are those of Gymnasium's Pendulum-v1, one semi-implicit Euler step of 50 ms.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from ..dynamics import Dynamics
from ..numbers import Array, Number, Numbers
from ..pictures.drawing import Frames, bar, blend, copies, disc, paste
from ..random import Random

FALL = 15.0  # 3g/2l, rad/s², with g = 10 m/s² and a rod of l = 1 m
LIFT = 3.0  # 3/ml², rad/s² for each N·m, with a mass of m = 1 kg
SECONDS = 0.05
FASTEST = 8.0  # rad/s
STRONGEST = 2.0  # N·m

_SIDE = 288  # pixels of a frame
_SPRITE = 256
_ROD = 100.0  # pixels from the pivot to the rod's end


class PendulumState(NamedTuple):
    """Angle from upright, rad, not reduced to one turn, and its speed, rad/s."""

    angle: Number
    speed: Number


class Pendulum(Dynamics[PendulumState]):
    """A rod hangs on a pivot, turned by a torque; it should stand upright, at rest.

    ω ← clip(ω + (15·sin θ + 3·u)·dt, ±8), θ ← θ + ω·dt, at a reward of -(θ² + 0.1·ω² + 0.001·u²)
    before each step, with θ in [-π, π).
    """

    render_fps = 30
    keys = {  # noqa: RUF012
        key: np.array([torque], np.float32)
        for key, torque in (("left", STRONGEST), ("a", STRONGEST), ("right", -2.0), ("d", -2.0))
    }
    noop = np.zeros(1, np.float32)

    def __init__(self) -> None:
        high = np.array([1.0, 1.0, FASTEST], np.float32)
        self.observation_space = spaces.Box(-high, high)
        self.action_space = spaces.Box(-STRONGEST, STRONGEST, (1,), np.float32)

    def initial(self, xp: Numbers, random: Random) -> PendulumState:
        """Begin at any angle, at up to 1 rad/s in either direction."""
        return PendulumState(random.uniform(-np.pi, np.pi), random.uniform(-1.0, 1.0, draw=1))

    def step(
        self, xp: Numbers, state: PendulumState, action: Number, random: Random
    ) -> tuple[PendulumState, Number, Number]:
        """Turn for 50 ms."""
        angle, speed = state
        (torque,) = action
        tilt = (angle + np.pi) % (2 * np.pi) - np.pi
        cost = tilt * tilt + 0.1 * (speed * speed) + 0.001 * (torque * torque)
        speed = xp.clip(speed + (FALL * xp.sin(angle) + LIFT * torque) * SECONDS, -FASTEST, FASTEST)
        return PendulumState(angle + speed * SECONDS, speed), -cost, False

    def observe(self, xp: Numbers, state: PendulumState) -> Array:
        """Return cos θ, sin θ and ω, float32 `[3]`."""
        return xp.stack((xp.cos(state.angle), xp.sin(state.angle), state.speed), np.float32)

    def frames(self, state: PendulumState) -> Frames:
        """Return pictures `[N, 288, 288, 3]`; a positive angle leans to the left."""
        background = _background()
        frames = copies(background, len(state.angle))
        degrees = (np.rint(np.degrees(state.angle)).astype(int) % 360).tolist()
        margin = [(_SIDE - _SPRITE) // 2] * len(frames)
        paste(frames, map(_rod, degrees), margin, margin)
        return frames

    def text(self, state: PendulumState) -> list[str]:
        """Return the angle and its speed, with their units."""
        tilts = np.degrees((state.angle + np.pi) % (2 * np.pi) - np.pi)
        return [
            f"angle {tilt:+.1f}°, {speed:+.3f} rad/s"
            for tilt, speed in zip(tilts, state.speed, strict=True)
        ]


@cache
def _background() -> Frames:
    """Return a dial with a mark where the rod should stand; its two halves are alike."""
    shape, middle = (_SIDE, _SIDE), (_SIDE / 2, _SIDE / 2)
    image = np.full((*shape, 3), (224, 235, 244), np.uint8)
    image = blend(image, disc(shape, middle, 126.0), (243, 247, 250))
    for angle in np.radians(np.arange(0, 360, 30)):
        up, right = np.cos(angle), np.sin(angle)
        inner = middle[0] - 112 * up, middle[1] + 112 * right
        outer = middle[0] - 118 * up, middle[1] + 118 * right
        image = blend(image, bar(shape, inner, outer, 1.5), (150, 160, 172))
    return blend(image, disc(shape, (middle[0] - 116, middle[1]), 6.0), (226, 74, 83))


@cache
def _rod(degrees: int) -> Frames:
    """Return the middle of the dial with the rod at an angle, `[256, 256, 3]`."""
    margin = (_SIDE - _SPRITE) // 2
    if degrees > 180:
        return _rod(360 - degrees)[:, ::-1]
    image = _background()[margin:-margin, margin:-margin]
    shape, pivot = (_SPRITE, _SPRITE), (_SPRITE / 2, _SPRITE / 2)
    angle = np.radians(degrees)
    end = pivot[0] - _ROD * np.cos(angle), pivot[1] - _ROD * np.sin(angle)
    image = blend(image, bar(shape, pivot, end, 11.0), (176, 96, 40))
    image = blend(image, bar(shape, pivot, end, 9.0), (214, 126, 60))
    image = blend(image, disc(shape, pivot, 6.0), (43, 58, 82))
    return blend(image, disc(shape, pivot, 2.0), (243, 247, 250))
