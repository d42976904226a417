"""Few runs, honestly: the interquartile mean of scores, and bootstrap intervals.

After Agarwal et al. (2021), "Deep reinforcement learning at the edge of the statistical precipice".
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, trim_mean

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
    if not scores.shape[-1]:
        raise ValueError(f"scores have the shape {scores.shape}: expected at least one run")
    return trim_mean(scores, 0.25, axis=-1)


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
        ValueError: `level` lies outside (0, 1), or one of several strata holds a single run.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level is {level}: expected a number between 0 and 1")
    if all(scores.shape[-1] == 1 for scores in strata):  # nothing to draw from
        figure = statistic(np.concatenate(strata, axis=-1))
        return figure, figure
    drawn = bootstrap(
        strata,
        lambda *runs, axis: statistic(np.concatenate(runs, axis=-1)),
        axis=-1,
        n_resamples=resamples,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return drawn.confidence_interval.low, drawn.confidence_interval.high
