"""A2C's update as one compiled function, for which `agents.policy_gradient.a2c` is the text."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...loop.experience import Array
from .block import consider, differentiate, judge
from .chain import BLOCK
from .compiling import VERSION, compiled, part
from .elementary import ZERO
from .objective import half_square, policy_gradient
from .records import (
    ADVANTAGE,
    ENTROPY,
    ENTROPY_SLOPE,
    LOG_PROB,
    LOG_PROB_SLOPE,
    POLICY_LOSS,
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

METRICS = ("policy_loss", "value_loss", "entropy", "value")


class Settings(NamedTuple):
    """A2C's, in single precision."""

    trace_decay: np.float32  # λ of the advantages
    value_coefficient: np.float32
    entropy_coefficient: np.float32


@part
def learn_from(net: Networks, rows: Rows, settings: Settings, order: Array, metrics: Array) -> None:
    """Add the gradient of a block of a rollout that was judged, and its metrics: see `METRICS`."""
    count, columns = len(order), net.columns
    consider(net, rows, order)
    for i in range(count):
        columns[WEIGHT + i] = rows.weight[order[i]]
        columns[ADVANTAGE + i] = rows.advantage[order[i]]
        columns[VALUE + i] = rows.value[order[i]]
    for i in range(count):
        weight, advantage = columns[WEIGHT + i], columns[ADVANTAGE + i]
        policy_loss, slope = policy_gradient(columns[LOG_PROB + i], advantage)
        value_loss, error = half_square(-advantage)  # v − G
        columns[POLICY_LOSS + i], columns[VALUE_LOSS + i] = policy_loss, value_loss
        columns[LOG_PROB_SLOPE + i] = weight * slope
        columns[ENTROPY_SLOPE + i] = -weight * settings.entropy_coefficient
        columns[VALUE_SLOPE + i] = weight * settings.value_coefficient * error
    policy_losses = value_losses = entropies = values = ZERO
    for i in range(count):
        weight = columns[WEIGHT + i]
        policy_losses += weight * columns[POLICY_LOSS + i]
        value_losses += weight * columns[VALUE_LOSS + i]
        entropies += weight * columns[ENTROPY + i]
        values += weight * columns[VALUE + i]
    found = policy_losses, value_losses, entropies, values
    for k in range(len(found)):
        metrics[k] += found[k]
    differentiate(net, count)


def update_of(version: str) -> Callable[[Networks, Rows, Descent, Settings, Array], int]:
    """Return the compiled update of a version of this room; see `compiling.text`."""

    def update(
        net: Networks, rows: Rows, descent: Descent, settings: Settings, metrics: Array
    ) -> int:
        """Learn from a rollout in one step; return 1.

        Args:
            net: changed in place.
            rows: what is learned from.
            descent: how the step is taken.
            settings: of what objective.
            metrics: `[4]`, means over the rollout: see `METRICS`.
        """
        _ = version
        count, value = len(rows.value), net.critic.output[-1]
        order = np.arange(count)
        for first in range(0, count, BLOCK):
            block = order[first : first + BLOCK]
            judge(net, rows, block)
            for i in range(len(block)):
                rows.value[first + i] = net.memory[value + i]
        advantages(rows, settings.trace_decay)
        metrics[:] = 0.0
        net.gradient[:] = ZERO
        for first in range(0, count, BLOCK):
            block = order[first : first + BLOCK]
            if count > BLOCK:  # else it is still in memory
                judge(net, rows, block)
            learn_from(net, rows, settings, block, metrics)
        descend(net, descent, descent.steps + 1)
        return 1

    return compiled(update)


PROGRAM = Program(update_of(VERSION), Settings, METRICS)
