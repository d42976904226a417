"""A chain of dense layers in compiled code, forwards and backwards, a block of rows at a time.

Zₗ = Aₗ₋₁ Wₗᵀ + bₗ, Aₗ = g(Zₗ); backwards dZₗ = dAₗ ⊙ g'(Zₗ), dWₗ = dZₗᵀ Aₗ₋₁, dbₗ = Σ dZₗ,
dAₗ₋₁ = dZₗ Wₗ, as in `nets.gradients.backprop`. A bias and an activation are one pass over what a
product has left, and so are an activation's slope and the sum of its columns. The outputs, and
their slopes, lie by columns, `[out, rows]`: what is computed of them is vectorised over rows.
"""

from typing import NamedTuple

from ...loop.experience import Array
from .compiling import part
from .elementary import ONE, ZERO, tanh
from .products import MORE, NEW, PLAIN, TURNED, matrix, multiply

LINEAR, TANH, RELU = 0, 1, 2


class Chain(NamedTuple):
    """Where the parts of a chain of L layers lie: in the weights, and in memory for a block."""

    size: Array  # [L + 1] features before the first layer and after each
    weight: Array  # [L] W [out, in], in the weights
    bias: Array  # [L] b [out], in the weights
    activation: Array  # [L], the last is linear
    output: Array  # [L + 1] X [rows, in], and A of each layer, in memory
    slope: Array  # [L] dL/dZ, in memory; layers take turns


@part
def forward(chain: Chain, weights: Array, memory: Array, rows: int, sizes: Array) -> None:
    """Write A of every layer into memory, where X is already."""
    last = len(chain.weight) - 1
    for layer in range(last + 1):
        given, out = chain.size[layer], chain.size[layer + 1]
        at, w, b = chain.output[layer + 1], chain.weight[layer], chain.bias[layer]
        bias = weights[b : b + out]
        x = chain.output[layer]
        if layer < last:
            y = matrix(memory, at, out, PLAIN)
            x_y_w = matrix(memory, x, given, PLAIN), matrix(weights, w, given, TURNED)
            multiply(x_y_w[0], x_y_w[1], y, (rows, given, out), NEW, sizes)
            for i in range(rows):
                a = memory[at + i * out : at + (i + 1) * out]
                activate(a, bias, chain.activation[layer])
        else:
            y = matrix(memory, at, rows, PLAIN)
            x_y_w = matrix(weights, w, given, PLAIN), matrix(memory, x, given, TURNED)
            multiply(x_y_w[0], x_y_w[1], y, (out, given, rows), NEW, sizes)
            for k in range(out):
                column = memory[at + k * rows : at + (k + 1) * rows]
                for i in range(rows):
                    column[i] += bias[k]


@part
def backward(
    chain: Chain, weights: Array, gradient: Array, memory: Array, rows: int, sizes: Array
) -> None:
    """Add to the gradient, given dL/d(outputs) `[out, rows]` where the last slope belongs."""
    last = len(chain.weight) - 1
    for layer in range(last, -1, -1):
        given, out = chain.size[layer], chain.size[layer + 1]
        here, w, b = chain.slope[layer], chain.weight[layer], chain.bias[layer]
        total = gradient[b : b + out]
        if layer < last:
            y = chain.output[layer + 1]
            for i in range(rows):
                dy = memory[here + i * out : here + (i + 1) * out]
                a = memory[y + i * out : y + (i + 1) * out]
                pull_back(dy, a, total, chain.activation[layer])
            slope = matrix(memory, here, out, PLAIN)
            turned = matrix(memory, here, out, TURNED)
        else:
            for k in range(out):
                column, bias_slope = memory[here + k * rows : here + (k + 1) * rows], ZERO
                for i in range(rows):
                    bias_slope += column[i]
                total[k] += bias_slope
            slope = matrix(memory, here, rows, TURNED)
            turned = matrix(memory, here, rows, PLAIN)
        x = matrix(memory, chain.output[layer], given, PLAIN)
        weight_slope = matrix(gradient, w, given, PLAIN)
        multiply(turned, x, weight_slope, (out, rows, given), MORE, sizes)
        if layer > 0:
            below = matrix(memory, chain.slope[layer - 1], given, PLAIN)
            w_as_it_lies = matrix(weights, w, given, PLAIN)
            multiply(slope, w_as_it_lies, below, (rows, out, given), NEW, sizes)


@part
def activate(a: Array, bias: Array, activation: int) -> None:
    """Turn Z − b of one row `[out]` into A = g(Z)."""
    if activation == TANH:
        for j in range(len(bias)):
            a[j] = tanh(a[j] + bias[j])
    elif activation == RELU:
        for j in range(len(bias)):
            z = a[j] + bias[j]
            a[j] = ZERO if z < ZERO else z
    else:
        for j in range(len(bias)):
            a[j] += bias[j]


@part
def pull_back(slope: Array, a: Array, bias_slope: Array, activation: int) -> None:
    """Turn dL/dA of one row `[out]` into dL/dZ, and add it to that of the bias."""
    if activation == TANH:
        for j in range(len(bias_slope)):
            slope[j] *= ONE - a[j] * a[j]
            bias_slope[j] += slope[j]
    elif activation == RELU:
        for j in range(len(bias_slope)):
            slope[j] = slope[j] if a[j] > ZERO else ZERO
            bias_slope[j] += slope[j]
    else:
        for j in range(len(bias_slope)):
            bias_slope[j] += slope[j]
