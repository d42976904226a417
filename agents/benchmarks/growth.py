"""How steps per second grow with environments and width, and memory with the replay's capacity."""

import tracemalloc
from collections.abc import Callable
from importlib.util import find_spec as find_module
from typing import Literal

import gymnasium as gym
import numpy as np
import torch

from nets.benchmarks.growth import Growth, Line, Measure, Work, allowed, seconds

from ..algorithms import find_algorithm
from ..dqn.replay import ReplayBuffer
from ..dqn.rows import Rows
from ..environments.ids import find_spec
from .deep import ENV_ID

COPIES = (1, 4, 16, 64, 256, 1_024, 4_096, 16_384)
WIDTHS = (16, 32, 64, 128, 256, 512)
CAPACITIES = (1_000, 3_000, 10_000)
WORLDS = {
    "Catch": "dreamgym/Catch-v0",
    "CartPole": "dreamgym/CartPole-v0",
    "Lake 8x8": "dreamgym/Lake8x8-v0",
}
PIXELS = {"Catch": "dreamgym/Catch-v0", "Bricks": "dreamgym/Bricks-v0"}
PIXEL_COPIES = (16, 64, 256)
STEPS, DRAWN = 1 << 17, 64  # of all environments in a round; rows of actions, used again and again
ROLLOUT, EPOCHS, MINIBATCHES, WIDE_COPIES = 16, 4, 4, 128
FEWEST = 2_048  # steps that PPO learns from in a round
FRAMES = gym.spaces.Box(0, 255, (84, 84, 4), np.uint8)
NUMBERS = gym.spaces.Box(-np.inf, np.inf, (4, 1), np.float32)

Kernel = Literal["torch", "fused"]
KERNELS: tuple[Kernel, ...] = ("torch", "fused") if find_module("numba") else ("torch",)


def stepped(env_id: str) -> Measure:
    """Measure steps/s of an environment's own vector form.

    The limit is to write what a step returns: observations, rewards, and two flags.
    """

    def measure(copies: int) -> tuple[float, float]:
        rounds, mode = min(max(STEPS // copies, DRAWN), STEPS // 32), "vector_entry_point"
        world = gym.make_vec(find_spec(env_id), copies, vectorization_mode=mode)
        n = world.single_action_space.n  # type: ignore[attr-defined]
        actions = np.random.default_rng(0).integers(n, size=(DRAWN, copies))
        world.reset(seed=0)

        def play() -> None:
            for turn in range(rounds):
                world.step(actions[turn % DRAWN])

        places = [np.empty_like(part) for part in world.step(actions[0])[:4]]

        def write() -> None:
            for _ in range(rounds):
                for place in places:
                    place.fill(0)

        figures = rounds * copies / seconds(play), rounds * copies / seconds(write)
        world.close()
        return figures

    return measure


def ppo(kernel: Kernel, shape: Callable[[int], tuple[int, int]], env_id: str = ENV_ID) -> Measure:
    """Measure steps/s of PPO, beside what the products of acting and learning by torch allow.

    Args:
        kernel: that learns.
        shape: returns the number of environments and of hidden units at a size.
        env_id: the world.
    """

    def measure(size: int) -> tuple[float, float]:
        copies, width = shape(size)
        rollout = copies * ROLLOUT
        steps = rollout * max(FEWEST // rollout, 1)

        def learning(by: Kernel) -> Work:
            found = find_algorithm("ppo")
            config = found.config_type()(
                n_steps=ROLLOUT,
                batch_size=rollout // MINIBATCHES,
                epochs=EPOCHS,
                hidden=(width, width),
                kernel=by,
            )
            agent = found.agent_type()(env_id, config, seed=0, device="cpu", num_envs=copies)
            return lambda: agent.learn(steps, progress=False)

        figure = steps / seconds(learning(kernel))
        return figure, allowed(learning("torch"), steps, torch.float32)

    return measure


def remembered(space: gym.Space) -> Measure:
    """Measure the bytes of a full replay, beside what they were if no number was kept twice.

    Args:
        space: of the observations, stacks `[*, k]` of what the last k steps showed.
    """
    *shape, depth = space.shape or ()

    def measure(capacity: int) -> tuple[float, float]:
        rng, size = np.random.default_rng(0), (capacity + depth, *shape)
        shown = rng.integers(256, size=size, dtype=np.uint8).astype(space.dtype, copy=False)
        seen = np.lib.stride_tricks.sliding_window_view(shown, depth, axis=0)  # [rows + 1, *, k]
        tracemalloc.start()
        rows = Rows.zeros(capacity, space, gym.spaces.Discrete(4))
        replay = ReplayBuffer(rows)
        action, reward, discount = rest = rows.action, rows.reward, rows.discount
        for t in range(capacity):
            now, after = seen[t : t + 1], seen[t + 1 : t + 2]
            replay.append(Rows(now, action[:1], reward[:1], discount[:1], after))
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return held, shown.nbytes + sum(column.nbytes for column in rest)

    return measure


CURVES = (
    Growth(
        "worlds",
        "Worlds by their vector form",
        "environments",
        "steps/s",
        "writing what a step returns",
        tuple(Line(name, stepped(env_id), COPIES) for name, env_id in WORLDS.items()),
    ),
    Growth(
        "ppo",
        f"PPO on {ENV_ID}, {ROLLOUT} steps, {EPOCHS} epochs of {MINIBATCHES} minibatches, 64-64",
        "environments",
        "steps/s",
        "the products of the update",
        tuple(Line(kernel, ppo(kernel, lambda size: (size, 64)), COPIES) for kernel in KERNELS),
    ),
    Growth(
        "ppo-width",
        f"PPO on {ENV_ID}, {WIDE_COPIES} environments, otherwise as above",
        "units of each of two hidden layers",
        "steps/s",
        "the products of the update",
        tuple(
            Line(kernel, ppo(kernel, lambda size: (WIDE_COPIES, size)), WIDTHS)
            for kernel in KERNELS
        ),
    ),
    Growth(
        "ppo-pixels",
        "PPO from pixels by Nature's network, otherwise as above",
        "environments",
        "steps/s",
        "the products of acting and learning",
        tuple(
            Line(name, ppo("torch", lambda size: (size, 64), env_id), PIXEL_COPIES)
            for name, env_id in PIXELS.items()
        ),
    ),
    Growth(
        "replay",
        "Memory of DQN's replay",
        "capacity in steps",
        "bytes",
        "each number once",
        (
            Line("four frames of 84x84", remembered(FRAMES), CAPACITIES),
            Line("CartPole's four numbers", remembered(NUMBERS), CAPACITIES),
        ),
    ),
)
