"""PPO's update over a rollout as one compiled function; `agents.policy_gradient.ppo` is its text.

What differs is rounding, and that minibatches pass in blocks of rows that stay in the processor's
cache: forwards, through the objective, and backwards.
"""

import math
from typing import NamedTuple

import numpy as np

from ...loop.experience import Array
from .chain import Chain, backward, forward
from .compiling import compiled, part
from .elementary import ONE, ZERO, exp
from .objective import (
    categorical,
    categorical_slope,
    clipped_half_square,
    clipped_surrogate,
    gaussian,
    gaussian_slope,
)

BLOCK = 256  # rows

METRICS = ("policy_loss", "value_loss", "entropy", "kl", "clipped", "value")
KL = METRICS.index("kl")
FACTS, COLUMNS = 5, 9
WEIGHT, OLD_LOG_PROB, OLD_VALUE, ADVANTAGE, TARGET = range(FACTS)  # what is known of a row
LOG_PROB, ENTROPY, LOG_PROB_SLOPE, ENTROPY_SLOPE = range(FACTS, COLUMNS)  # what a block finds


class Rows(NamedTuple):
    """What is learned from: T steps of B environments, one after the other, R = T · B."""

    observation: Array  # [R, D]
    choice: Array  # [R, C]
    reward: Array  # [T, B]
    discount: Array  # [T, B]
    goes_on: Array  # [T, B]
    bootstrap: Array  # [T, B]
    known: Array  # [FACTS, R]: weights, and what is found before the first step


class Networks(NamedTuple):
    """A policy and a value over one vector of weights, and what Adam remembers of them."""

    actor: Chain
    critic: Chain
    gaussian: bool
    log_std: int  # where it begins in the weights
    weights: Array  # [P]
    gradient: Array  # [P]
    mean: Array  # [P] Adam's m
    square: Array  # [P] Adam's v
    memory: Array
    columns: Array  # [COLUMNS, BLOCK]
    choice: Array  # [C, BLOCK]
    probability: Array  # [A, BLOCK]
    sizes: Array


class Settings(NamedTuple):
    """PPO's and Adam's, in single precision."""

    trace_decay: np.float32  # λ of the advantages
    over_rollout: bool  # whether advantages are normalised so
    over_minibatch: bool
    batch_size: int
    clip: np.float32
    value_clip: np.float32
    target_kl: float
    value_coefficient: np.float32
    entropy_coefficient: np.float32
    max_grad_norm: np.float32
    learning_rate: float
    beta1: float
    beta2: float
    epsilon: np.float32
    steps: int  # of Adam, before


@part
def see(net: Networks, rows: Rows, order: Array) -> None:
    """Pass a block of rows forwards; find log π of what was chosen, and the entropy."""
    count, width = len(order), rows.observation.shape[1]
    for i in range(count):
        for d in range(width):
            net.memory[net.actor.output[0] + i * width + d] = rows.observation[order[i], d]
    choice = net.choice[:, :count]
    for c in range(len(choice)):
        for i in range(count):
            choice[c, i] = rows.choice[order[i], c]
    forward(net.actor, net.weights, net.memory, count, net.sizes)
    forward(net.critic, net.weights, net.memory, count, net.sizes)
    at, actions = net.actor.output[-1], net.actor.size[-1]
    z = net.memory[at : at + actions * count].reshape(actions, count)
    log_prob, entropy = net.columns[LOG_PROB, :count], net.columns[ENTROPY, :count]
    if net.gaussian:
        log_std = net.weights[net.log_std : net.log_std + len(z)]
        gaussian(z, log_std, choice, log_prob, entropy)
    else:
        categorical(z, net.probability[:, :count], choice, log_prob, entropy)


@part
def prepare(net: Networks, rows: Rows, settings: Settings, order: Array) -> None:
    """Find what the policy that gathered the rows said of them, and their advantages."""
    count, values = len(order), net.critic.output[-1]
    log_prob, value = rows.known[OLD_LOG_PROB], rows.known[OLD_VALUE]
    advantage, target = rows.known[ADVANTAGE], rows.known[TARGET]
    for first in range(0, count, BLOCK):
        last = min(first + BLOCK, count)
        see(net, rows, order[first:last])
        for i in range(last - first):
            value[first + i] = net.memory[values + i]
            log_prob[first + i] = net.columns[LOG_PROB, i]
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
    weight, advantage = rows.known[WEIGHT], rows.known[ADVANTAGE]
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
def learn_from(
    net: Networks,
    rows: Rows,
    settings: Settings,
    order: Array,
    norm: tuple[np.float32, np.float32, np.float32],
    metrics: Array,
) -> None:
    """Add the gradient of a block of a minibatch, and its metrics."""
    count, actor, critic = len(order), net.actor, net.critic
    columns = net.columns
    see(net, rows, order)
    for fact in range(len(rows.known)):
        for i in range(count):
            columns[fact, i] = rows.known[fact, order[i]]
    weight, advantage, target = columns[WEIGHT], columns[ADVANTAGE], columns[TARGET]
    old_log_prob, old_value = columns[OLD_LOG_PROB], columns[OLD_VALUE]
    log_prob, entropy = columns[LOG_PROB, :count], columns[ENTROPY, :count]
    pull, bonus = columns[LOG_PROB_SLOPE, :count], columns[ENTROPY_SLOPE, :count]
    value = net.memory[critic.output[-1] : critic.output[-1] + count]
    value_slope = net.memory[critic.slope[-1] : critic.slope[-1] + count]
    mean, scale, share = norm
    policy_losses = value_losses = entropies = divergence = clipped = values = ZERO
    for i in range(count):
        w, log_ratio = weight[i] * share, log_prob[i] - old_log_prob[i]
        ratio = exp(log_ratio)
        policy_loss, slope = clipped_surrogate(
            ratio, (advantage[i] - mean) * scale, settings.clip
        )
        value_loss, error = clipped_half_square(
            value[i], old_value[i], target[i], settings.value_clip
        )
        pull[i], bonus[i] = w * slope, -w * settings.entropy_coefficient
        value_slope[i] = w * settings.value_coefficient * error
        policy_losses += w * policy_loss
        value_losses += w * value_loss
        entropies += w * entropy[i]
        divergence += w * (ratio - ONE - log_ratio)
        clipped += w if abs(ratio - ONE) > settings.clip else ZERO
        values += w * value[i]
    found = policy_losses, value_losses, entropies, divergence, clipped, values
    for k in range(len(found)):
        metrics[k] += found[k]
    at, actions = net.actor.output[-1], net.actor.size[-1]
    z = net.memory[at : at + actions * count].reshape(actions, count)
    choice = net.choice[:, :count]
    if net.gaussian:
        begin, end = net.log_std, net.log_std + len(z)
        gaussian_slope(z, net.weights[begin:end], net.gradient[begin:end], pull, bonus)
    else:
        categorical_slope(z, net.probability[:, :count], choice, entropy, pull, bonus)
    for k in range(actions * count):
        net.memory[actor.slope[-1] + k] = net.memory[at + k]
    backward(actor, net.weights, net.gradient, net.memory, count, net.sizes)
    backward(critic, net.weights, net.gradient, net.memory, count, net.sizes)


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


@compiled
def update(
    net: Networks, rows: Rows, settings: Settings, orders: Array, metrics: Array
) -> int:
    """Learn from a rollout; return how many steps were taken.

    Args:
        net: changed in place.
        rows: what is learned from.
        settings: how.
        orders: rows as each epoch takes them, `[epochs, R]`.
        metrics: `[6]`, means over the last minibatch: see `METRICS`.
    """
    prepare(net, rows, settings, np.arange(rows.known.shape[1]))
    steps, weight = settings.steps, rows.known[WEIGHT]
    for order in orders:
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
