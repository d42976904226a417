"""Bias and variance: polynomials of three degrees, each fitted to 50 samples of 20 noisy points.

Thin: each fit. Bold: their mean. A line misses the truth whatever it sees (bias), degree 12 follows
every point (variance), degree 4 does neither.
"""

import begin
import numpy as np
from picture import Figure, panels

from nets.drawing.style import BLUE, GREY, ORANGE

DEGREES, SAMPLES, POINTS, NOISE = (1, 4, 12), 50, 20, 0.3


def draw() -> Figure:
    """Draw one panel per degree, and both errors in its title."""
    rng = np.random.default_rng(0)
    grid = np.linspace(-2.7, 2.7, 200)
    figure, axes = panels(len(DEGREES), title=f"Polynomials, {SAMPLES} samples of {POINTS} points")
    for axis, degree in zip(axes.flat, DEGREES, strict=True):
        fits = []
        for _ in range(SAMPLES):
            x = np.linspace(-3, 3, POINTS) + rng.uniform(-0.1, 0.1, POINTS)
            y = np.sin(x) + rng.normal(0, NOISE, POINTS)
            fits.append(np.polynomial.Chebyshev.fit(x, y, degree, domain=[-3, 3])(grid))
            axis.plot(grid, fits[-1], color=BLUE, alpha=0.15, linewidth=1)
        mean = np.mean(fits, 0)
        bias, variance = np.mean((mean - np.sin(grid)) ** 2), np.mean(np.var(fits, 0))
        axis.plot(grid, mean, color=ORANGE, linewidth=2.5, label="their mean")
        axis.plot(grid, np.sin(grid), color=GREY, linewidth=2.5, linestyle="--", label="truth")
        axis.set(xlabel="x", ylim=(-2, 2))
        axis.set_title(f"degree {degree}: bias² {bias:.3f} + variance {variance:.3f}")
    axes[0, 0].plot([], color=BLUE, label="a fit")
    axes[0, 0].set_ylabel("y")
    axes[0, 0].legend(loc="upper left")
    return figure


if __name__ == "__main__":
    begin.demo(draw)
