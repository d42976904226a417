"""A block of rows in compiled code: forwards, and from the slopes of an objective backwards."""

from ...loop.experience import Array
from .chain import backward, forward
from .compiling import part
from .objective import categorical, categorical_slope, gaussian, gaussian_slope
from .records import (
    ENTROPY,
    ENTROPY_SLOPE,
    LOG_PROB,
    LOG_PROB_SLOPE,
    VALUE_SLOPE,
    Networks,
    Rows,
)


@part
def see(net: Networks, rows: Rows, order: Array) -> None:
    """Pass a block of rows forwards: find values, log π of what was chosen, and the entropy."""
    judge(net, rows, order)
    consider(net, rows, order)


@part
def judge(net: Networks, rows: Rows, order: Array) -> None:
    """Find the values of a block of rows, which are then in memory."""
    count, width = len(order), rows.observation.shape[1]
    for i in range(count):
        for d in range(width):
            net.memory[net.critic.output[0] + i * width + d] = rows.observation[order[i], d]
    forward(net.critic, net.weights, net.memory, count, net.sizes)


@part
def consider(net: Networks, rows: Rows, order: Array) -> None:
    """Find log π of what was chosen, and the entropy, for a block of rows that is in memory."""
    count = len(order)
    choice = net.choice[:, :count]
    for c in range(len(choice)):
        for i in range(count):
            choice[c, i] = rows.choice[order[i], c]
    forward(net.actor, net.weights, net.memory, count, net.sizes)
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
def differentiate(net: Networks, count: int) -> None:
    """Add the gradient of a block that was seen, given slopes in log π, entropies and values."""
    actor, critic, columns = net.actor, net.critic, net.columns
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
