"""Speed of dreams beside the real world, and of an RSSM beside its matrix products alone.

There is no bar beside the real world, which is faster than any model of it: dreams save real steps,
not time. An RSSM at 4,096 rows reaches 60 % of the speed of its matrix products alone.
"""

from collections.abc import Callable
from functools import cache

import gymnasium as gym
import torch
from torch import Tensor

from nets.benchmarks.timing import Case, Measure, Side, rate
from nets.layers.rssm import RSSM
from nets.process.seeding import seeded

from ..dreams.scalar import DreamEnv
from ..dreams.vector import DreamVectorEnv
from ..worlds.experience import collect
from ..worlds.rssm import RSSMWorld
from ..worlds.spaces import spec_of
from ..worlds.world import World

CATCH = "dreamgym/Catch-v0"
STEPS = 200  # of one dream after the other
ROWS = {1: 200, 64: 50, 4096: 2}  # steps of so many side by side
REAL = 100  # times as many steps of the real world in a round


@cache
def catch() -> World:
    """Return a world of Catch's pictures as it is before it has learned: it is as fast then."""
    spec = spec_of(CATCH)
    with seeded(0):
        return World.of(spec, collect(spec, 200)).eval()


def single(make: Callable[[], gym.Env], steps: int) -> Measure:
    """Measure steps/s of one environment, resets included."""

    def measure(turn: int) -> float:
        env = make()
        env.reset(seed=turn)
        env.action_space.seed(turn)
        actions = [env.action_space.sample() for _ in range(steps)]

        def play() -> None:
            for action in actions:
                _, _, terminated, truncated, _ = env.step(action)
                if terminated or truncated:
                    env.reset()

        return rate(steps, play)

    return measure


def vector(make: Callable[[], gym.vector.VectorEnv], steps: int) -> Measure:
    """Measure steps/s of environments side by side, all of them counted."""

    def measure(turn: int) -> float:
        many = make()
        many.reset(seed=turn)
        many.action_space.seed(turn)
        action = many.action_space.sample()

        def play() -> None:
            for _ in range(steps):
                many.step(action)

        return rate(steps * many.num_envs, play)

    return measure


def foreseeing(rows: int, count: int) -> Measure:
    """Measure steps/s of an RSSM by itself: the next memory, and the prior of the next latents."""

    @torch.inference_mode()
    def measure(turn: int) -> float:
        rssm, action = _rssm(), torch.zeros(rows, catch().spec.action_size)
        h = torch.zeros(rows, rssm.memory)
        z = torch.full((rows, rssm.groups, rssm.classes), 1 / rssm.classes)

        def foresee() -> None:
            for _ in range(count):
                rssm.prior(rssm(h, z, action))

        return rate(rows * count, foresee)

    return measure


def products(rows: int, count: int) -> Measure:
    """Measure steps/s if its matrix products were all there is to it."""

    @torch.inference_mode()
    def measure(turn: int) -> float:
        weights = [w.detach() for w in _weights()]
        inputs = [torch.rand(rows, w.shape[1]) for w in weights]

        def multiply() -> None:
            for _ in range(count):
                for x, w in zip(inputs, weights, strict=True):
                    x @ w.T

        return rate(rows * count, multiply)

    return measure


def _rssm() -> RSSM:
    model = catch().dynamics
    assert isinstance(model, RSSMWorld)
    return model.rssm


def _weights() -> list[Tensor]:
    """Return the matrices that it multiplies by, `[out, in]`."""
    parts = _rssm().entrance, _rssm().cell, _rssm().prior_logits
    return [w for part in parts for w in part.parameters() if w.dim() == 2]


def _many(count: int) -> Case:
    steps = ROWS[count]
    real = vector(lambda: gym.make_vec(f"envs:{CATCH}", count), REAL * steps)
    return Case(
        f"dream-{count}",
        f"{count:,} dreams of Catch's pictures at once, by an RSSM; the peer is the real world",
        f"{steps:,} steps of each",
        "steps/s",
        Side("dreams", vector(lambda: DreamVectorEnv(catch(), count), steps)),
        (Side("the real world", real),),
        rounds=5,
    )


CASES = (
    Case(
        "dream-one",
        "one dream of Catch's pictures after the other, by an RSSM; the peer is the real world",
        f"{STEPS} steps",
        "steps/s",
        Side("dreams", single(lambda: DreamEnv(catch()), STEPS)),
        (Side("the real world", single(lambda: gym.make(f"envs:{CATCH}"), REAL * STEPS)),),
        rounds=5,
    ),
    *map(_many, ROWS),
    Case(
        "dream-products",
        "the memory and prior of that RSSM at 4,096 rows; the peer is its matrix products alone",
        "20 steps of 4,096",
        "steps/s",
        Side("rssm", foreseeing(4096, 20)),
        (Side("matrix products", products(4096, 20)),),
        bar=0.6,
        rounds=5,
    ),
)
