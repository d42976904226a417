"""PPO and DQN from pixels beside their own networks: what everything around those costs.

The peer passes random pictures through the agent's network as often as the agent does: forwards to
act, forwards and back to learn, nothing else. What is left to a ratio of 1 is stepping, drawing,
remembering, the objective, clipping and Adam. Bar: 0.7.
"""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from nets.benchmarks.timing import Case, Measure, Side, rate

from ..loop.experience import Array
from .deep import OUR_PIXELS, PIXEL_BEFORE, PIXEL_EVERY, PIXEL_STEPS, built, ours
from .growth import EPOCHS, MINIBATCHES, PIXELS, ROLLOUT
from .peers import NOISE_84

COPIES, ROLLOUTS = 64, 2
ROWS = COPIES * ROLLOUT
PPO_SETTINGS = {"n_steps": ROLLOUT, "batch_size": ROWS // MINIBATCHES, "epochs": EPOCHS}
DQN = "dqn", NOISE_84.id, 1
PEER, BAR, ROUNDS = "its network alone", 0.7, 5

Passes = Callable[[Any], Callable[[], None]]
"""Of an agent: the passes of its network from one update to the next."""


def pictures(space: gym.Space, *shape: int) -> Array:
    """Return random pictures of a space, `[*shape, *picture]`."""
    size = (*shape, *(space.shape or ()))
    return np.random.default_rng(0).integers(256, size=size, dtype=np.uint8)


def passes_of_ppo(agent: Any) -> Callable[[], None]:
    """Return the passes that a rollout takes to act, to be prepared, and to be learned from."""
    network, space = agent.network, agent.observation_space
    now, whole = pictures(space, COPIES), torch.from_numpy(pictures(space, ROLLOUT, COPIES))
    part = torch.from_numpy(pictures(space, 1, ROWS // MINIBATCHES))

    def passes() -> None:
        for _ in range(ROLLOUT):
            network.policy(now, None, None)
        network.value(now, None)
        network.evaluate(whole)
        for _ in range(EPOCHS * MINIBATCHES):
            network.backward(*network.forward(part))

    return passes


def passes_of_dqn(agent: Any) -> Callable[[], None]:
    """Return the passes that one gradient step takes, and the steps of the world before it."""
    now = pictures(agent.observation_space, 1)
    rows = torch.from_numpy(pictures(agent.observation_space, agent.config.batch_size))

    def passes() -> None:
        for _ in range(PIXEL_EVERY):
            agent.online.values(now, None, None, noise=True)
        with torch.no_grad():
            agent.target.module.minibatches(rows[None])
        agent.online.backward(agent.online.forward(rows))

    return passes


def alone(
    algorithm: str,
    env_id: str,
    copies: int,
    settings: dict[str, Any],
    passes: Passes,
    steps: int,
    every: int,
) -> Measure:
    """Measure how many steps/s an agent took if its network was all it had to wait for.

    Args:
        algorithm: whose agent.
        env_id: of its world.
        copies: of that.
        settings: the agent's.
        passes: of its network.
        steps: of the world in a round.
        every: steps of the world between two updates.
    """

    def measure(turn: int) -> float:
        agent = built(algorithm, env_id, copies, settings, "cpu", turn)
        work = passes(agent)
        work()
        return rate(steps, lambda: [work() for _ in range(steps // every)])

    return measure


def ppo_case(name: str, env_id: str) -> Case:
    """Return the comparison of PPO on a world of pixels."""
    steps = ROLLOUTS * ROWS
    return Case(
        f"ppo-{name.lower()}",
        f"PPO on {name} from pixels, {COPIES} environments of {ROLLOUT} steps, {EPOCHS} epochs of"
        f" {MINIBATCHES} minibatches; the peer is its network's passes, and nothing around them",
        f"{steps:,} steps",
        "steps/s",
        Side("ppo", ours("ppo", env_id, COPIES, ROWS, steps, PPO_SETTINGS)),
        (Side(PEER, alone("ppo", env_id, COPIES, PPO_SETTINGS, passes_of_ppo, steps, ROWS)),),
        bar=BAR,
        rounds=ROUNDS,
    )


CASES = (
    *(ppo_case(name, env_id) for name, env_id in PIXELS.items()),
    Case(
        "dqn-pixels-network",
        "DQN as in `dqn-pixels`; the peer is its networks' passes, and nothing around them",
        f"{PIXEL_STEPS} steps",
        "steps/s",
        Side("dqn", ours(*DQN, PIXEL_BEFORE, PIXEL_STEPS, OUR_PIXELS)),
        (Side(PEER, alone(*DQN, OUR_PIXELS, passes_of_dqn, PIXEL_STEPS, PIXEL_EVERY)),),
        bar=BAR,
        rounds=ROUNDS,
    ),
)
