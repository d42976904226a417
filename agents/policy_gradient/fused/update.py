"""PPO's update over a rollout as one compiled function; `agents.policy_gradient.ppo` is its text.

What differs is rounding, and that minibatches pass in blocks of rows that stay in the processor's
cache.
"""

import math
from collections.abc import Callable

import numpy as np

from ...loop.experience import Array
from .block import learn_from, see
from .chain import BLOCK
from .compiling import compiled, part
from .elementary import ONE, ZERO
from .records import KL, LOG_PROB, Networks, Rows, Settings


@part
def prepare(net: Networks, rows: Rows, settings: Settings, order: Array) -> None:
    """Find what the policy that gathered the rows said of them, and their advantages."""
    count, values = len(order), net.critic.output[-1]
    value, advantage, target = rows.value, rows.advantage, rows.target
    for first in range(0, count, BLOCK):
        last = min(first + BLOCK, count)
        see(net, rows, order[first:last])
        for i in range(last - first):
            value[first + i] = net.memory[values + i]
            rows.log_prob[first + i] = net.columns[LOG_PROB + i]
    steps, copies = rows.reward.shape
    for t in range(steps - 1, -1, -1):
        here, there = t * copies, min(t + 1, steps - 1) * copies
        for b in range(copies):
            on, discount = rows.goes_on[t, b] > ZERO, rows.discount[t, b]
            after = value[there + b] if on else rows.bootstrap[t, b]
            following = advantage[there + b] if on else ZERO
            error = rows.reward[t, b] + discount * after - value[here + b]
            advantage[here + b] = error + discount * settings.trace_decay * following
            target[here + b] = advantage[here + b] + value[here + b]
    if settings.over_rollout:
        mean, scale = moments(rows, order)
        for row in range(count):
            advantage[row] = (advantage[row] - mean) * scale


@part
def moments(rows: Rows, order: Array) -> tuple[np.float32, np.float32]:
    """Return the weighted mean of some advantages, and 1 / their deviation."""
    weight, advantage = rows.weight, rows.advantage
    total, mean, variance = 0.0, 0.0, 0.0
    for row in order:
        total += weight[row]
        mean += weight[row] * advantage[row]
    mean /= total
    for row in order:
        centred = advantage[row] - mean
        variance += weight[row] * centred * centred
    return np.float32(mean), np.float32(1.0 / (math.sqrt(variance / total) + 1e-8))


@part
def descend(net: Networks, settings: Settings, step: int) -> None:
    """Clip the gradient by its norm, and take a step of Adam: its `step`-th."""
    total = ZERO
    for p in range(len(net.gradient)):
        total += net.gradient[p] * net.gradient[p]
    norm = math.sqrt(total)
    factor = settings.max_grad_norm / norm if norm > settings.max_grad_norm else ONE
    rate = np.float32(settings.learning_rate / (1.0 - settings.beta1**step))
    scale = np.float32(1.0 / math.sqrt(1.0 - settings.beta2**step))
    new_mean, new_square = np.float32(1.0 - settings.beta1), np.float32(1.0 - settings.beta2)
    old_square = np.float32(settings.beta2)
    for p in range(len(net.gradient)):
        g = net.gradient[p] * factor
        m = net.mean[p] + new_mean * (g - net.mean[p])
        v = old_square * net.square[p] + new_square * g * g
        net.weights[p] -= rate * m / (math.sqrt(v) * scale + settings.epsilon)
        net.mean[p], net.square[p] = m, v


def update_of(version: str) -> Callable[[Networks, Rows, Settings, Array, Array], int]:
    """Return the compiled update of a version of this room; see `compiling.text`."""

    def update(net: Networks, rows: Rows, settings: Settings, orders: Array, metrics: Array) -> int:
        """Learn from a rollout; return how many steps were taken.

        Args:
            net: changed in place.
            rows: what is learned from.
            settings: how.
            orders: rows as each epoch takes them, `[epochs, R]`, or as all do, `[1, R]`.
            metrics: `[6]`, means over the last minibatch: see `METRICS`.
        """
        _ = version
        prepare(net, rows, settings, np.arange(len(rows.weight)))
        steps, weight = settings.steps, rows.weight
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
                norm = mean, scale, np.float32(1.0 / total)
                metrics[:] = 0.0
                net.gradient[:] = ZERO
                for first in range(0, len(part), BLOCK):
                    learn_from(net, rows, settings, part[first : first + BLOCK], norm, metrics)
                if metrics[KL] > settings.target_kl:
                    return steps - settings.steps
                steps += 1
                descend(net, settings, steps)
        return steps - settings.steps

    return compiled(update)
