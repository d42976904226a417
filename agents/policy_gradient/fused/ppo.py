"""PPO's update as one compiled function, for which `agents.policy_gradient.ppo` is the text."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...loop.experience import Array
from .block import differentiate, see
from .chain import BLOCK
from .compiling import VERSION, compiled, part
from .elementary import ONE, ZERO, exp
from .objective import clipped_half_square, clipped_surrogate
from .records import (
    ADVANTAGE,
    ENTROPY,
    ENTROPY_SLOPE,
    LOG_PROB,
    LOG_PROB_SLOPE,
    OLD_LOG_PROB,
    OLD_VALUE,
    POLICY_LOSS,
    RATIO,
    TARGET,
    VALUE,
    VALUE_LOSS,
    VALUE_SLOPE,
    WEIGHT,
    Descent,
    Networks,
    Program,
    Rows,
)
from .update import advantages, descend

METRICS = ("policy_loss", "value_loss", "entropy", "kl", "clipped", "value")
KL = METRICS.index("kl")


class Settings(NamedTuple):
    """PPO's, in single precision."""

    epochs: int
    trace_decay: np.float32  # λ of the advantages
    over_rollout: bool  # whether advantages are normalised so
    over_minibatch: bool
    batch_size: int
    clip: np.float32
    value_clip: np.float32
    target_kl: float
    value_coefficient: np.float32
    entropy_coefficient: np.float32


@part
def learn_from(
    net: Networks,
    rows: Rows,
    settings: Settings,
    order: Array,
    norm: tuple[np.float32, np.float32, np.float32],
    metrics: Array,
) -> None:
    """Add the gradient of a block of a minibatch, and its metrics.

    Args:
        net: for whose gradient it is.
        rows: those of a rollout.
        settings: PPO's.
        order: which of them are in the block.
        norm: the mean of advantages, 1 / their deviation, and 1 / the sum of weights.
        metrics: see `METRICS`.
    """
    count, columns = len(order), net.columns
    see(net, rows, order)
    mean, scale, share = norm
    for i in range(count):
        row = order[i]
        columns[WEIGHT + i] = rows.weight[row] * share
        columns[OLD_LOG_PROB + i], columns[OLD_VALUE + i] = rows.log_prob[row], rows.value[row]
        columns[ADVANTAGE + i] = (rows.advantage[row] - mean) * scale
        columns[TARGET + i] = rows.target[row]
        columns[VALUE + i] = net.memory[net.critic.output[-1] + i]
    clip, value_clip = settings.clip, settings.value_clip
    for i in range(count):
        weight = columns[WEIGHT + i]
        ratio = exp(columns[LOG_PROB + i] - columns[OLD_LOG_PROB + i])
        policy_loss, slope = clipped_surrogate(ratio, columns[ADVANTAGE + i], clip)
        value_loss, error = clipped_half_square(
            columns[VALUE + i], columns[OLD_VALUE + i], columns[TARGET + i], value_clip
        )
        columns[RATIO + i] = ratio
        columns[POLICY_LOSS + i], columns[VALUE_LOSS + i] = policy_loss, value_loss
        columns[LOG_PROB_SLOPE + i] = weight * slope
        columns[ENTROPY_SLOPE + i] = -weight * settings.entropy_coefficient
        columns[VALUE_SLOPE + i] = weight * settings.value_coefficient * error
    policy_losses = value_losses = entropies = divergence = clipped = values = ZERO
    for i in range(count):
        weight, ratio = columns[WEIGHT + i], columns[RATIO + i]
        log_ratio = columns[LOG_PROB + i] - columns[OLD_LOG_PROB + i]
        policy_losses += weight * columns[POLICY_LOSS + i]
        value_losses += weight * columns[VALUE_LOSS + i]
        entropies += weight * columns[ENTROPY + i]
        divergence += weight * (ratio - ONE - log_ratio)
        clipped += weight if abs(ratio - ONE) > clip else ZERO
        values += weight * columns[VALUE + i]
    found = policy_losses, value_losses, entropies, divergence, clipped, values
    for k in range(len(found)):
        metrics[k] += found[k]
    differentiate(net, count)


@part
def prepare(net: Networks, rows: Rows, settings: Settings, order: Array) -> None:
    """Find what the policy that gathered the rows said of them, and their advantages."""
    count, values = len(order), net.critic.output[-1]
    for first in range(0, count, BLOCK):
        last = min(first + BLOCK, count)
        see(net, rows, order[first:last])
        for i in range(last - first):
            rows.value[first + i] = net.memory[values + i]
            rows.log_prob[first + i] = net.columns[LOG_PROB + i]
    advantages(rows, settings.trace_decay)
    if settings.over_rollout:
        mean, scale = moments(rows, order)
        for row in range(count):
            rows.advantage[row] = (rows.advantage[row] - mean) * scale


@part
def moments(rows: Rows, order: Array) -> tuple[np.float32, np.float32]:
    """Return the weighted mean of some advantages, and 1 / their deviation."""
    weight, advantage = rows.weight, rows.advantage
    total, mean, variance = 0.0, 0.0, 0.0
    for row in order:
        total += weight[row]
        mean += weight[row] * advantage[row]
    if total == 0.0:  # rows that only reset
        return ZERO, ONE
    mean /= total
    for row in order:
        centred = advantage[row] - mean
        variance += weight[row] * centred * centred
    return np.float32(mean), np.float32(1.0 / (math.sqrt(variance / total) + 1e-8))


def update_of(version: str) -> Callable[[Networks, Rows, Descent, Settings, Array, Array], int]:
    """Return the compiled update of a version of this room; see `compiling.text`."""

    def update(
        net: Networks,
        rows: Rows,
        descent: Descent,
        settings: Settings,
        metrics: Array,
        orders: Array,
    ) -> int:
        """Learn from a rollout; return how many steps were taken.

        Args:
            net: changed in place.
            rows: what is learned from.
            descent: how steps are taken.
            settings: of what objective, and how many.
            metrics: `[6]`, means over the last minibatch: see `METRICS`.
            orders: rows as each epoch takes them, `[epochs, R]`, or as all do, `[1, R]`.
        """
        _ = version
        prepare(net, rows, settings, np.arange(len(rows.weight)))
        steps, weight = descent.steps, rows.weight
        for epoch in range(settings.epochs):
            order = orders[epoch % len(orders)]
            for begin in range(0, len(order), settings.batch_size):
                part = order[begin : begin + settings.batch_size]
                total = 0.0
                for row in part:
                    total += weight[row]
                mean, scale = ZERO, ONE
                if settings.over_minibatch:
                    mean, scale = moments(rows, part)
                norm = mean, scale, np.float32(1.0 / total) if total > 0.0 else ZERO
                metrics[:] = 0.0
                net.gradient[:] = ZERO
                for first in range(0, len(part), BLOCK):
                    learn_from(net, rows, settings, part[first : first + BLOCK], norm, metrics)
                if metrics[KL] > settings.target_kl:
                    return steps - descent.steps
                steps += 1
                descend(net, descent, steps)
        return steps - descent.steps

    return compiled(update)


PROGRAM = Program(update_of(VERSION), Settings, METRICS)
