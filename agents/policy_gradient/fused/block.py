"""A block of rows in compiled code: forwards, through the objective, and backwards."""

import numpy as np

from ...loop.experience import Array
from .chain import backward, forward
from .compiling import part
from .elementary import ONE, ZERO, exp
from .objective import (
    categorical,
    categorical_slope,
    clipped_half_square,
    clipped_surrogate,
    gaussian,
    gaussian_slope,
)
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
    Networks,
    Rows,
    Settings,
)


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
    log_prob = net.columns[LOG_PROB : LOG_PROB + count]
    entropy = net.columns[ENTROPY : ENTROPY + count]
    if net.gaussian:
        log_std = net.weights[net.log_std : net.log_std + len(z)]
        gaussian(z, log_std, choice, log_prob, entropy)
    else:
        categorical(z, net.probability[:, :count], choice, log_prob, entropy)


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
    count, actor, critic = len(order), net.actor, net.critic
    columns = net.columns
    see(net, rows, order)
    mean, scale, share = norm
    for i in range(count):
        row = order[i]
        columns[WEIGHT + i] = rows.weight[row] * share
        columns[OLD_LOG_PROB + i], columns[OLD_VALUE + i] = rows.log_prob[row], rows.value[row]
        columns[ADVANTAGE + i] = (rows.advantage[row] - mean) * scale
        columns[TARGET + i] = rows.target[row]
        columns[VALUE + i] = net.memory[critic.output[-1] + i]
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
    for i in range(count):
        net.memory[critic.slope[-1] + i] = columns[VALUE_SLOPE + i]
    pull = columns[LOG_PROB_SLOPE : LOG_PROB_SLOPE + count]
    bonus = columns[ENTROPY_SLOPE : ENTROPY_SLOPE + count]
    entropy = columns[ENTROPY : ENTROPY + count]
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
