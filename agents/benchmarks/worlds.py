"""Speed of environments: steps per second of one and of thousands, and frames per second.

Bars: one grid world 1.5 times Gymnasium's fastest, one Catch or CartPole twice the peer's; 40
million steps/s of 4096 grid worlds, 20 million of as many boards; 4096 CartPoles not behind
Gymnasium's native vector environment, few of them, compiled, three times that; pictures ten times
Gymnasium's.
"""

from collections.abc import Callable
from itertools import chain, repeat
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import SyncVectorEnv, VectorEnv

from nets.benchmarks.timing import Case, Measure, Need, Side, rate

from ..environments.ids import find_spec
from .peers import BSUITE_CATCH, LEAN_CATCH

SCALAR_STEPS = 20_000
VECTOR_STEPS = 1 << 21
SYNC_STEPS = 16_000
FEW_STEPS = 1 << 16
FRAMES = 200
DRAWN = 64  # rows of actions that are drawn in advance, and used again and again


def make(env: str | EnvSpec, **settings: Any) -> gym.Env:
    """Make an environment, with all wrappers that `gym.make` adds."""
    return gym.make(find_spec(env) if isinstance(env, str) else env, **settings)


def single(env: str | EnvSpec, **settings: Any) -> Measure:
    """Measure steps/s of one environment; choosing actions is not counted."""

    def measure(turn: int) -> float:
        world = make(env, **settings)
        actions = _draw(world.action_space, SCALAR_STEPS, turn)
        world.reset(seed=turn)

        def play() -> None:
            step, reset = world.step, world.reset
            for action in actions:
                _, _, terminated, truncated, _ = step(action)
                if terminated or truncated:
                    reset()

        figure = rate(SCALAR_STEPS, play)
        world.close()
        return figure

    return measure


def vector(env: str, num_envs: int, steps: int = VECTOR_STEPS, **settings: Any) -> Measure:
    """Measure steps/s of an environment's own vector form; choosing actions is not counted."""

    def build() -> VectorEnv:
        mode = "vector_entry_point"
        return gym.make_vec(find_spec(env), num_envs, vectorization_mode=mode, **settings)

    return _vector(build, steps)


def sync(env: str | EnvSpec, num_envs: int, **settings: Any) -> Measure:
    """Measure steps/s of Gymnasium's `SyncVectorEnv`."""
    return _vector(lambda: SyncVectorEnv([lambda: make(env, **settings)] * num_envs), SYNC_STEPS)


def _vector(build: Callable[[], VectorEnv], steps: int) -> Measure:
    def measure(turn: int) -> float:
        worlds = build()
        rows, num_envs = steps // worlds.num_envs, worlds.num_envs
        flat = _draw(worlds.single_action_space, DRAWN * num_envs, turn)
        actions = list(np.reshape(flat, (DRAWN, num_envs)))
        worlds.reset(seed=turn)
        for row in actions:  # caches fill, episodes fall out of step
            worlds.step(row)

        def play() -> None:
            step = worlds.step
            for row in chain.from_iterable(repeat(actions, rows // DRAWN)):
                step(row)

        figure = rate(rows // DRAWN * DRAWN * num_envs, play)
        worlds.close()
        return figure

    return measure


def frames(env: str, **settings: Any) -> Measure:
    """Measure frames/s of an environment that is stepped and drawn."""

    def measure(turn: int) -> float:
        world = make(env, render_mode="rgb_array", **settings)
        actions = _draw(world.action_space, FRAMES, turn)
        world.reset(seed=turn)
        world.render()

        def play() -> None:
            for action in actions:
                _, _, terminated, truncated, _ = world.step(action)
                if terminated or truncated:
                    world.reset()
                world.render()

        figure = rate(FRAMES, play)
        world.close()
        return figure

    return measure


def _draw(space: gym.Space, count: int, seed: int) -> list[int]:
    actions = space.n  # type: ignore[attr-defined]
    return np.random.default_rng(seed).integers(actions, size=count).tolist()


SCALAR_WORK = f"{SCALAR_STEPS:,} steps"
VECTOR_WORK = f"{VECTOR_STEPS:,} steps"
GRID_PEERS = tuple(Side(n, single(n)) for n in ("FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"))

CASES = (
    Case(
        "lake-scalar",
        "one slippery Lake through gym.make, beside Gymnasium's grid worlds",
        SCALAR_WORK,
        "steps/s",
        Side("dreamgym/Lake-v0", single("dreamgym/Lake-v0")),
        GRID_PEERS,
        bar=1.5,
    ),
    Case(
        "cliff-scalar",
        "one Cliff through gym.make, beside Gymnasium's grid worlds",
        SCALAR_WORK,
        "steps/s",
        Side("dreamgym/Cliff-v0", single("dreamgym/Cliff-v0")),
        GRID_PEERS,
        bar=1.5,
    ),
    Case(
        "catch-scalar",
        "one Catch board through gym.make, beside Catch by the operations of bsuite's",
        SCALAR_WORK,
        "steps/s",
        Side("dreamgym/Catch-v0", single("dreamgym/Catch-v0", obs="board")),
        (Side("Catch as in bsuite", single(BSUITE_CATCH)),),
        bar=2.0,
    ),
    Case(
        "catch-scalar-lean",
        "one Catch board through gym.make, beside the leanest gym.Env that plays the same",
        SCALAR_WORK,
        "steps/s",
        Side("dreamgym/Catch-v0", single("dreamgym/Catch-v0", obs="board")),
        (Side("lean Catch", single(LEAN_CATCH)),),
    ),
    Case(
        "cartpole-scalar",
        "one CartPole through gym.make",
        SCALAR_WORK,
        "steps/s",
        Side("dreamgym/CartPole-v0", single("dreamgym/CartPole-v0")),
        (Side("CartPole-v1", single("CartPole-v1")),),
        bar=2.0,
    ),
    Case(
        "lake-vector",
        "4096 slippery 8x8 Lakes side by side, beside 16 of Gymnasium's",
        f"{VECTOR_WORK} (peer {SYNC_STEPS:,})",
        "steps/s",
        Side("dreamgym/Lake8x8-v0 x4096", vector("dreamgym/Lake8x8-v0", 4096)),
        (Side("SyncVectorEnv FrozenLake8x8-v1 x16", sync("FrozenLake8x8-v1", 16)),),
        floor=40e6,
    ),
    *(
        Case(
            f"catch-vector-{num_envs}",
            f"{num_envs} Catch boards side by side, beside 16 as in bsuite",
            f"{VECTOR_WORK} (peer {SYNC_STEPS:,})",
            "steps/s",
            Side(
                f"dreamgym/Catch-v0 x{num_envs}",
                vector("dreamgym/Catch-v0", num_envs, obs="board"),
            ),
            (Side("SyncVectorEnv Catch as in bsuite x16", sync(BSUITE_CATCH, 16)),),
            floor=20e6,
        )
        for num_envs in (1024, 4096)
    ),
    Case(
        "cartpole-vector",
        "4096 CartPoles side by side, beside Gymnasium's native vector environment",
        VECTOR_WORK,
        "steps/s",
        Side("dreamgym/CartPole-v0 x4096", vector("dreamgym/CartPole-v0", 4096)),
        (Side("CartPole-v1 x4096", vector("CartPole-v1", 4096)),),
        bar=1.0,
    ),
    *(
        Case(
            f"cartpole-vector-{num_envs}",
            f"{num_envs} CartPoles side by side, compiled, beside Gymnasium's native vector"
            " environment and ours by NumPy",
            f"{FEW_STEPS:,} steps",
            "steps/s",
            Side(
                f"dreamgym/CartPole-v0 x{num_envs}, compiled",
                vector("dreamgym/CartPole-v0", num_envs, FEW_STEPS, kernel="fused"),
            ),
            tuple(
                Side(f"{name} x{num_envs}", vector(name, num_envs, FEW_STEPS))
                for name in ("CartPole-v1", "dreamgym/CartPole-v0")
            ),
            bar=3.0,
            needs=Need.of_module("numba", "fast"),
        )
        for num_envs in (8, 64)
    ),
    Case(
        "lake-frames",
        "pictures of a 4x4 Lake, 256x256, one per step",
        f"{FRAMES} frames",
        "frames/s",
        Side("dreamgym/Lake-v0", frames("dreamgym/Lake-v0")),
        (Side("FrozenLake-v1", frames("FrozenLake-v1")),),
        bar=10.0,
    ),
    Case(
        "cliff-frames",
        "pictures of a Cliff, 256x768, one per step",
        f"{FRAMES} frames",
        "frames/s",
        Side("dreamgym/Cliff-v0", frames("dreamgym/Cliff-v0")),
        (Side("CliffWalking-v1", frames("CliffWalking-v1")),),
        bar=10.0,
    ),
)
