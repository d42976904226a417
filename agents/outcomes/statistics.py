"""Few runs, honestly: the interquartile mean of scores, and bootstrap intervals.

After Agarwal et al. (2021), "Deep reinforcement learning at the edge of the statistical precipice".
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Statistic = Callable[[Scores], Scores]

RESAMPLES = 10_000


def interquartile_mean(scores: Scores) -> Scores:
    """Return the mean of the middle half: IQM = (1 / (N − 2k)) Σ_{i=k+1}^{N−k} x₍ᵢ₎, k = ⌊N / 4⌋.

    Less swayed by one lucky or failed run than the mean, less wasteful than the median.

    Args:
        scores: `[..., N]`; the runs come last.

    Returns:
        `[...]`.

    Raises:
        ValueError: there are no runs.
    """
    runs = scores.shape[-1]
    if runs < 1:
        raise ValueError(f"scores have the shape {scores.shape}: expected at least one run")
    cut = runs // 4
    return np.sort(scores, axis=-1)[..., cut : runs - cut].mean(axis=-1)


def bootstrap_interval(
    *strata: Scores,
    statistic: Statistic = interquartile_mean,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[Scores, Scores]:
    """Return the percentile interval of `statistic`: runs are drawn again, with replacement.

    Where there are several strata, such as environments, runs are drawn within each and pooled, so
    that every resample holds as many of each as there were. Everything before the last axis, such
    as the moments of a learning curve, belongs to a run and is drawn with it. The generator is
    fixed: equal scores give equal intervals.

    Args:
        strata: scores `[..., N_m]`, normalised where the strata have different scales.
        statistic: maps `[..., N]` to `[...]`.
        level: the share of intervals that should hold the truth; fewer do for a handful of runs.
        resamples: how often runs are drawn.
        seed: of the generator.

    Returns:
        The lower and the upper end, `[...]`.

    Raises:
        ValueError: `level` lies outside (0, 1).
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level is {level}: expected a number between 0 and 1")
    rng = np.random.default_rng(seed)
    drawn = [_draw(scores, resamples, rng) for scores in strata]
    figures = statistic(np.concatenate(drawn, axis=-1))  # [R, ...]
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(figures, (tail, 1.0 - tail), axis=0)
    return low, high


def _draw(scores: Scores, resamples: int, rng: np.random.Generator) -> Scores:
    """Return `resamples` draws of as many runs as there are, `[R, ..., N]`."""
    runs = scores.shape[-1]
    index = rng.integers(runs, size=(resamples, runs))
    return np.moveaxis(scores[..., index], -2, 0)
