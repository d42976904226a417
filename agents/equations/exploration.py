"""Ways to try something else than what looks best (curriculum A-CORE-04)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def epsilon_greedy(values: Array, epsilon: float, rng: np.random.Generator) -> Array:
    """Choose argmaxₐ values with probability 1 − ε, any action uniformly with probability ε.

    Args:
        values: action values `[N, A]`.
        epsilon: share of uniform choices, in [0, 1].
        rng: gives two rows of draws, whatever is chosen, so that streams stay aligned.

    Returns:
        Action indices `[N]`.
    """
    count, actions = values.shape
    explore = rng.random(count) < epsilon
    return np.where(explore, rng.integers(actions, size=count), values.argmax(axis=1))


def boltzmann(values: Array, temperature: float, rng: np.random.Generator) -> Array:
    """Choose action a with probability exp(values[a] / τ) / Σ exp(values / τ).

    Uses the Gumbel trick: argmaxₐ (values[a] / τ + gₐ) with standard Gumbel noise g.

    Args:
        values: action values `[N, A]`.
        temperature: τ > 0; small is greedy, large is uniform.
        rng: gives `[N, A]` Gumbel draws.

    Returns:
        Action indices `[N]`.
    """
    return (values / temperature + rng.gumbel(size=values.shape)).argmax(axis=1)
