"""Who collects where states can be counted: lives as is best in worlds that may be so."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from nets.process.seeding import hash31

from ..worlds.table import TableWorld
from .tables import Chain, best_policy

Array = NDArray[Any]


class Explorer:
    """Acts in every episode by the best policy of a world that is drawn from what counts allow.

    p(· | s, a) ~ Dirichlet(N(s, a, ·) + 1/2S) over the 2S things that may follow. So it goes where
    more is to be had *or* where it is not known yet, as often as it may be so (Strens, 2000, "A
    Bayesian framework for reinforcement learning"; Osband et al., 2013, "(More) efficient
    reinforcement learning via posterior sampling").

    Args:
        table: what was counted.
        seed: of what it draws.
    """

    def __init__(self, table: TableWorld, seed: int = 0) -> None:
        self.table = table
        spaces = table.spec.observation_space, table.spec.action_space
        self._states, self._actions = map(_discrete, spaces)
        self._rng = np.random.default_rng(hash31(seed, "explorer"))

    def predict(
        self, observation: Any, state: Any, episode_start: Array, deterministic: bool
    ) -> tuple[Array, Array]:
        """Return actions `[N]`, and the policies `[N, S]` that go with the episodes."""
        where = np.asarray(observation) - self._states.start  # [N]
        rows = np.arange(len(where))
        policies = np.zeros((len(where), int(self._states.n)), np.int64) if state is None else state
        for row in rows if state is None else np.flatnonzero(episode_start):
            policies[row], _ = best_policy(drawn(self.table, self._rng))
        return policies[rows, where] + self._actions.start, policies


def drawn(table: TableWorld, rng: np.random.Generator) -> Chain:
    """Draw a world of all that may have been counted.

    What was never seen to follow pays the best that was seen; where nothing paid more than anything
    else, 1 more than that.
    """
    counts, known = table.counts.double().numpy(), table.reward.double().numpy()  # [S, A, 2S]
    size = table.spec.num_states
    p = rng.gamma(counts + 0.5 / size)
    p /= p.sum(-1, keepdims=True)
    seen = counts > 0
    paid = known[seen] if seen.any() else np.zeros(1)
    hoped = paid.max() + float(paid.max() == paid.min())
    reward = (p * np.where(seen, known, hoped)).sum(-1)  # [S, A]
    return Chain(p[..., :size], p[..., size:], reward)


def _discrete(space: gym.Space) -> Discrete:
    assert isinstance(space, Discrete)  # of all that a table counts
    return space
