"""REINFORCE with and without a baseline: the same gradient on average, another variance.

A two-armed bandit whose arms pay 10 and 11, give or take 1. The gradient of the expected reward in
the logit is estimated from batches of 16 pulls, without a baseline and with the mean reward as one;
right: learning with each.
"""

import numpy as np
from picture import BLUE, GREY, ORANGE, Figure, demo, panels

MEANS, BATCH, RATE = np.array([10.0, 11.0]), 16, 0.05


def pulls(rng: np.random.Generator, logit: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw actions `[n]` with π(1) = σ(logit), and their rewards."""
    action = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    return action, MEANS[action] + rng.normal(size=n)


def gradient(rng: np.random.Generator, logit: float, baseline: bool) -> float:
    """Estimate d E[r] / d logit = E[(r − b)(a − π(1))]."""
    action, reward = pulls(rng, logit, BATCH)
    centre = MEANS.mean() if baseline else 0.0
    return float(((reward - centre) * (action - 1 / (1 + np.exp(-logit)))).mean())


def draw() -> Figure:
    """Draw the estimates' histograms and 20 learning curves of each."""
    rng = np.random.default_rng(0)
    figure, axes = panels(2, title="REINFORCE's gradient, 16 pulls a batch", size=4.4)
    for label, baseline, colour in (("without", False, ORANGE), ("with", True, BLUE)):
        found = np.array([gradient(rng, 0.0, baseline) for _ in range(4000)])
        name = f"{label} a baseline: {found.mean():.2f} ± {found.std():.2f}"
        axes.flat[0].hist(found, bins=60, color=colour, alpha=0.6, label=name)
        curves = []
        for _ in range(20):
            logit, curve = 0.0, []
            for _ in range(200):
                logit += RATE * gradient(rng, logit, baseline)
                curve.append(1 / (1 + np.exp(-logit)))
            curves.append(curve)
            axes.flat[1].plot(curve, color=colour, alpha=0.2)
        axes.flat[1].plot(np.mean(curves, 0), color=colour, linewidth=2.5)
    exact = 0.25 * (MEANS[1] - MEANS[0])
    axes.flat[0].axvline(exact, color=GREY, label=f"exact: {exact:.2f}")
    axes.flat[0].set(xlabel="estimate of the gradient")
    axes.flat[0].legend()
    axes.flat[1].set(xlabel="batches", ylabel="share of the better arm", ylim=(0, 1.02))
    return figure


if __name__ == "__main__":
    demo(__doc__, draw)
