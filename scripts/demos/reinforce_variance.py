"""REINFORCE with and without a baseline: the same gradient on average, another variance.

A two-armed bandit whose arms pay 10 and 11, give or take 1. The gradient of the expected reward in
the logit is estimated from batches of 16 pulls, without a baseline and with the mean reward as one;
right: learning with each, 20 runs.
"""

import begin
import numpy as np
from picture import Figure, band, panels

from nets.drawing.style import BLUE, ORANGE, paper

MEANS, BATCH, RATE = np.array([10.0, 11.0]), 16, 0.05
ESTIMATES, RUNS, STEPS = 4000, 20, 200


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
    """Draw the estimates' histograms and the learning curves of each."""
    rng = np.random.default_rng(0)
    title = f"REINFORCE's gradient, {BATCH} pulls a batch"
    figure, ((estimates, learning),) = panels(2, title=title, size=4.4, wide=1.15)
    bins = np.linspace(-4, 4.5, 86)
    for label, baseline, colour in (("without", False, ORANGE), ("with", True, BLUE)):
        found = np.array([gradient(rng, 0.0, baseline) for _ in range(ESTIMATES)])
        name = f"{label} a baseline: {found.mean():.2f} ± {found.std():.2f}"
        estimates.hist(found, bins, density=True, color=colour, alpha=0.7, label=name)
        curves = np.zeros((RUNS, STEPS))
        for curve in curves:
            logit = 0.0
            for step in range(STEPS):
                logit += RATE * gradient(rng, logit, baseline)
                curve[step] = 1 / (1 + np.exp(-logit))
        band(learning, range(STEPS), curves, colour, f"{label} a baseline")
    exact = 0.25 * (MEANS[1] - MEANS[0])
    estimates.axvline(exact, color=paper().ink, linestyle=(0, (1, 2)), label=f"exact: {exact:.2f}")
    estimates.set(
        xlabel="estimate of the gradient, mean ± standard deviation",
        ylabel=f"density of {ESTIMATES:,} estimates",
        ylim=(0, 4.4),  # room for the legend
    )
    estimates.legend(loc="upper right")
    learning.set(
        xlabel="batches",
        ylabel="chance of the better arm",
        ylim=(0, 1.02),
    )
    learning.set_title(f"median and range of {RUNS} runs")
    learning.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    begin.demo(draw)
