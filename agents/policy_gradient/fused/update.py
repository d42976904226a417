"""What compiled updates share: advantages of a rollout, and a step of Adam.

What differs from torch's is rounding, and that rows pass in blocks that stay in the processor's
cache.
"""

import math

import numpy as np

from .compiling import part
from .elementary import ONE, ZERO
from .records import Descent, Networks, Rows


@part
def advantages(rows: Rows, trace_decay: np.float32) -> None:
    """Find Aₜ = δₜ + γλ Aₜ₊₁ and G = A + v of every row, whose values are found."""
    value, advantage, target = rows.value, rows.advantage, rows.target
    steps, copies = rows.reward.shape
    for t in range(steps - 1, -1, -1):
        here, there = t * copies, min(t + 1, steps - 1) * copies
        for b in range(copies):
            on, discount = rows.goes_on[t, b] > ZERO, rows.discount[t, b]
            after = value[there + b] if on else rows.bootstrap[t, b]
            following = advantage[there + b] if on else ZERO
            error = rows.reward[t, b] + discount * after - value[here + b]
            advantage[here + b] = error + discount * trace_decay * following
            target[here + b] = advantage[here + b] + value[here + b]


@part
def descend(net: Networks, descent: Descent, step: int) -> None:
    """Clip the gradient by its norm, and take a step of Adam: its `step`-th."""
    total = ZERO
    for p in range(len(net.gradient)):
        total += net.gradient[p] * net.gradient[p]
    norm = math.sqrt(total)
    factor = descent.max_grad_norm / norm if norm > descent.max_grad_norm else ONE
    rate = np.float32(descent.learning_rate / (1.0 - descent.beta1**step))
    scale = np.float32(1.0 / math.sqrt(1.0 - descent.beta2**step))
    new_mean, new_square = np.float32(1.0 - descent.beta1), np.float32(1.0 - descent.beta2)
    old_square = np.float32(descent.beta2)
    for p in range(len(net.gradient)):
        g = net.gradient[p] * factor
        m = net.mean[p] + new_mean * (g - net.mean[p])
        v = old_square * net.square[p] + new_square * g * g
        net.weights[p] -= rate * m / (math.sqrt(v) * scale + descent.epsilon)
        net.mean[p], net.square[p] = m, v
