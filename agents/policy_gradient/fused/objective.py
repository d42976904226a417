"""Objectives and their slopes in compiled code: what is said of each row, for a block of rows.

The equations are those of `agents.equations.losses` and of the action models. Outputs, and what is
made of them, lie by columns.
"""

import math

import numpy as np

from ...loop.experience import Array
from .compiling import inlined, part
from .elementary import HALF, ONE, ZERO, exp, log

HALF_LOG_2PI = np.float32(0.5 * math.log(2.0 * math.pi))


@part
def categorical(z: Array, p: Array, choice: Array, log_prob: Array, entropy: Array) -> None:
    """Turn logits `[A, M]` into log π; find π, log π(choice) and H = −Σ π log π of each row."""
    top, total = log_prob, entropy  # for a while
    for i in range(len(top)):
        top[i], total[i] = z[0, i], ZERO
    for a in range(1, len(z)):
        for i in range(len(top)):
            top[i] = max(top[i], z[a, i])
    for a in range(len(z)):
        for i in range(len(top)):
            z[a, i] -= top[i]
            p[a, i] = exp(z[a, i])
            total[i] += p[a, i]
    for a in range(len(z)):
        for i in range(len(top)):
            z[a, i] -= log(total[i])
            p[a, i] /= total[i]
    for i in range(len(entropy)):
        entropy[i] = ZERO
    for a in range(len(z)):
        for i in range(len(entropy)):
            entropy[i] -= p[a, i] * z[a, i]
    for i in range(len(log_prob)):
        log_prob[i] = z[int(choice[0, i]), i]


@part
def categorical_slope(
    z: Array, p: Array, choice: Array, entropy: Array, log_prob_slope: Array, entropy_slope: Array
) -> None:
    """Turn log π into dL/d(logits) = (1ₐ − π) dL/d(log π(a)) − π (log π + H) dL/dH."""
    for a in range(len(z)):
        for i in range(len(entropy)):
            pulled = log_prob_slope[i] + entropy_slope[i] * (z[a, i] + entropy[i])
            z[a, i] = -p[a, i] * pulled
    for i in range(len(entropy)):
        z[int(choice[0, i]), i] += log_prob_slope[i]


@part
def gaussian(z: Array, log_std: Array, choice: Array, log_prob: Array, entropy: Array) -> None:
    """Turn means `[D, M]` into (choice − μ)/σ; find log π(choice) and H of each row."""
    for i in range(len(log_prob)):
        log_prob[i], entropy[i] = ZERO, ZERO
    for d in range(len(z)):
        constant, inverse = log_std[d] + HALF_LOG_2PI, exp(-log_std[d])
        for i in range(len(log_prob)):
            z[d, i] = (choice[d, i] - z[d, i]) * inverse
            log_prob[i] -= HALF * z[d, i] * z[d, i] + constant
            entropy[i] += constant + HALF


@part
def gaussian_slope(
    z: Array, log_std: Array, log_std_slope: Array, log_prob_slope: Array, entropy_slope: Array
) -> None:
    """Turn (choice − μ)/σ into dL/dμ, and add dL/d(log σ) of all rows."""
    for d in range(len(z)):
        inverse, total = exp(-log_std[d]), ZERO
        for i in range(len(log_prob_slope)):
            total += log_prob_slope[i] * (z[d, i] * z[d, i] - ONE) + entropy_slope[i]
            z[d, i] *= log_prob_slope[i] * inverse
        log_std_slope[d] += total


@inlined
def policy_gradient(log_prob: np.float32, advantage: np.float32) -> tuple[np.float32, np.float32]:
    """Return −log π A, and its slope in log π."""
    return -log_prob * advantage, -advantage


@inlined
def half_square(error: np.float32) -> tuple[np.float32, np.float32]:
    """Return ½e², and its slope."""
    return HALF * error * error, error


@inlined
def clipped_surrogate(
    ratio: np.float32, advantage: np.float32, clip: np.float32
) -> tuple[np.float32, np.float32]:
    """Return −min(ρA, clip(ρ, 1 − ε, 1 + ε) A), and its slope in log π."""
    surrogate = ratio * advantage
    near = ONE - clip if ratio < ONE - clip else ratio
    near = ONE + clip if near > ONE + clip else near
    clipped = near * advantage
    within = surrogate <= clipped
    return -(surrogate if within else clipped), -(surrogate if within else ZERO)


@inlined
def clipped_half_square(
    value: np.float32, old_value: np.float32, target: np.float32, clip: np.float32
) -> tuple[np.float32, np.float32]:
    """Return the larger of ½(v − G)² and ½(v_old + clip(v − v_old, −ε, ε) − G)², and its slope."""
    moved, error = value - old_value, value - target
    near = old_value + (clip if moved > clip else -clip) - target if abs(moved) > clip else error
    free, clipped = HALF * error * error, HALF * near * near
    return (free if free >= clipped else clipped), (error if free >= clipped else ZERO)
