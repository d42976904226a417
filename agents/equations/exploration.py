"""Ways to try something else than what looks best (curriculum A-CORE-04)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .masks import masked

Array = NDArray[Any]


def epsilon_greedy(
    values: Array, epsilon: float, rng: np.random.Generator, mask: Array | None = None
) -> Array:
    """Choose argmaxₐ values with probability 1 − ε, any action uniformly with probability ε.

    Args:
        values: action values `[N, A]`.
        epsilon: share of uniform choices, in [0, 1].
        rng: gives two rows of draws, whatever is chosen, so that streams stay aligned.
        mask: bool `[N, A]`, which actions there are to choose from; None: all.

    Returns:
        Action indices `[N]`.
    """
    count, actions = values.shape
    explore = rng.random(count) < epsilon
    drawn = uniform(count, actions, rng, mask)
    return np.where(explore, drawn, masked(values, mask).argmax(axis=1))


def uniform(count: int, actions: int, rng: np.random.Generator, mask: Array | None = None) -> Array:
    """Choose N times among A actions, each as likely as the others; indices `[N]`.

    Args:
        count: N.
        actions: A.
        rng: gives a row of draws.
        mask: bool `[N, A]`, which actions there are to choose from; None: all.
    """
    if mask is None:
        return rng.integers(actions, size=count)
    number = rng.integers(mask.sum(axis=1))  # [N] of the chosen among the allowed
    return (mask.cumsum(axis=1) > number[:, None]).argmax(axis=1)


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
