"""A chain of dense layers in compiled code, forwards and backwards, a block of rows at a time.

Zₗ = Aₗ₋₁ Wₗᵀ + bₗ, Aₗ = g(Zₗ); backwards dZₗ = dAₗ ⊙ g'(Zₗ), dWₗ = dZₗᵀ Aₗ₋₁, dbₗ = Σ dZₗ,
dAₗ₋₁ = dZₗ Wₗ, as in `nets.gradients.backprop`. A bias and an activation are one pass over what a
product has left, and so are an activation's slope and the sum of its columns. The outputs, and
their slopes, lie by columns, `[out, rows]`: what is computed of them is vectorised over rows.
"""

from typing import NamedTuple

from ...loop.experience import Array
from .compiling import part, views
from .elementary import ONE, ZERO, tanh
from .products import MORE, NEW, PLAIN, TURNED, matrix, multiply

BLOCK = 256  # rows
TANH, RELU = 0, 1


class Chain(NamedTuple):
    """Where the parts of a chain of L layers lie: in the weights, and in memory for a block."""

    size: Array  # [L + 1] features before the first layer and after each
    weight: Array  # [L] W [out, in], in the weights
    bias: Array  # [L] b [out], in the weights
    activation: Array  # [L − 1] between layers
    output: Array  # [L + 1] X [rows, in], and A of each layer, in memory
    slope: Array  # [L] dL/dZ, in memory; layers take turns


@views
def laid_out(places: Array) -> Chain:
    """Return a chain whose parts are the rows of one array `[6, L + 1]`; shorter ones end early."""
    end = places.shape[1] - 1
    return Chain(
        places[0],
        places[1, :end],
        places[2, :end],
        places[3, : end - 1],
        places[4],
        places[5, :end],
    )


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
            w_t = matrix(weights, w, given, TURNED)
            multiply(matrix(memory, x, given, PLAIN), w_t, y, (rows, given, out), NEW, sizes)
            activate(memory, at, bias, rows, chain.activation[layer])
        else:
            y = matrix(memory, at, rows, PLAIN)
            x_t = matrix(memory, x, given, TURNED)
            multiply(matrix(weights, w, given, PLAIN), x_t, y, (out, given, rows), NEW, sizes)
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
            pull_back(memory, here, chain.output[layer + 1], total, rows, chain.activation[layer])
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
        if layer == 0 < last and given < min(out, BLOCK):  # BLAS is slow where rows are short
            x_t, spare = matrix(memory, chain.output[0], given, TURNED), chain.slope[1]
            weight_slope = matrix(memory, spare, out, PLAIN)
            multiply(x_t, slope, weight_slope, (given, rows, out), NEW, sizes)
            for j in range(out):
                for d in range(given):
                    gradient[w + j * given + d] += memory[spare + d * out + j]
        else:
            x = matrix(memory, chain.output[layer], given, PLAIN)
            weight_slope = matrix(gradient, w, given, PLAIN)
            multiply(turned, x, weight_slope, (out, rows, given), MORE, sizes)
        if layer > 0:
            below = matrix(memory, chain.slope[layer - 1], given, PLAIN)
            w_as_it_lies = matrix(weights, w, given, PLAIN)
            multiply(slope, w_as_it_lies, below, (rows, out, given), NEW, sizes)


@part
def activate(memory: Array, y: int, bias: Array, rows: int, activation: int) -> None:
    """Turn Z − b `[rows, out]` into A = g(Z)."""
    out = len(bias)
    for i in range(rows):
        a = memory[y + i * out : y + (i + 1) * out]
        if activation == TANH:
            for j in range(out):
                a[j] = tanh(a[j] + bias[j])
        else:
            for j in range(out):
                z = a[j] + bias[j]
                a[j] = ZERO if z < ZERO else z


@part
def pull_back(memory: Array, dy: int, y: int, total: Array, rows: int, activation: int) -> None:
    """Turn dL/dA `[rows, out]` into dL/dZ, and add the sum of its columns to the total."""
    out = len(total)
    for i in range(rows):
        slope = memory[dy + i * out : dy + (i + 1) * out]
        a = memory[y + i * out : y + (i + 1) * out]
        if activation == TANH:
            for j in range(out):
                z = slope[j] * (ONE - a[j] * a[j])
                slope[j] = z
                total[j] += z
        else:
            for j in range(out):
                z = slope[j]  # read in any case, or the loop is not vectorised
                z = z if a[j] > ZERO else ZERO
                slope[j] = z
                total[j] += z
