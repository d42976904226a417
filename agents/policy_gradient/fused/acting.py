"""What a chain says of observations, and the action drawn by it, each as one compiled call."""

from collections.abc import Callable

from ...loop.experience import Array
from .chain import BLOCK, Chain, forward, laid_out
from .compiling import compiled, part


@part
def see(
    chain: Chain, weights: Array, memory: Array, sizes: Array, x: Array, first: int, rows: int
) -> None:
    """Pass `rows` observations from the `first` on, of x `[N, in]`, forwards."""
    given = x.shape[1]
    for i in range(rows):
        for d in range(given):
            memory[chain.output[0] + i * given + d] = x[first + i, d]
    forward(chain, weights, memory, rows, sizes)


def outputs_of(version: str) -> Callable[[Array, Array, Array, Array, Array, Array], None]:
    """Return the compiled function of a version of this room; see `compiling.text`."""

    def outputs(
        places: Array, weights: Array, memory: Array, sizes: Array, x: Array, y: Array
    ) -> None:
        """Write outputs y `[N, out]` of observations x `[N, in]`."""
        _ = version
        chain = laid_out(places)
        out, at = y.shape[1], chain.output[-1]
        for first in range(0, len(x), BLOCK):
            rows = min(BLOCK, len(x) - first)
            see(chain, weights, memory, sizes, x, first, rows)
            for i in range(rows):
                for k in range(out):
                    y[first + i, k] = memory[at + k * rows + i]

    return compiled(outputs)


def draw_of(version: str) -> Callable[[Array, Array, Array, Array, Array, Array, Array], None]:
    """Return the compiled function of a version of this room; see `compiling.text`."""

    def draw(
        places: Array, weights: Array, memory: Array, sizes: Array, x: Array, g: Array, a: Array
    ) -> None:
        """Write argmaxₐ (z[a] + gₐ) `[N]`, z being logits of x `[N, in]`, g Gumbel's `[N, A]`."""
        _ = version
        chain = laid_out(places)
        actions, at = g.shape[1], chain.output[-1]
        for first in range(0, len(x), BLOCK):
            rows = min(BLOCK, len(x) - first)
            see(chain, weights, memory, sizes, x, first, rows)
            for i in range(rows):
                best, chosen = memory[at + i] + g[first + i, 0], 0
                for k in range(1, actions):
                    noisy = memory[at + k * rows + i] + g[first + i, k]
                    if noisy > best:
                        best, chosen = noisy, k
                a[first + i] = chosen

    return compiled(draw)
