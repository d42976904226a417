"""What a chain says of observations, as one compiled call."""

from collections.abc import Callable

from ...loop.experience import Array
from .chain import BLOCK, Chain, forward
from .compiling import compiled


def outputs_of(version: str) -> Callable[[Chain, Array, Array, Array, Array, Array], None]:
    """Return the compiled function of a version of this room; see `compiling.text`."""

    def outputs(
        chain: Chain, weights: Array, memory: Array, sizes: Array, x: Array, y: Array
    ) -> None:
        """Write outputs y `[N, out]` of observations x `[N, in]`."""
        _ = version
        given, out, at = x.shape[1], y.shape[1], chain.output[-1]
        for first in range(0, len(x), BLOCK):
            rows = min(BLOCK, len(x) - first)
            for i in range(rows):
                for d in range(given):
                    memory[chain.output[0] + i * given + d] = x[first + i, d]
            forward(chain, weights, memory, rows, sizes)
            for i in range(rows):
                for k in range(out):
                    y[first + i, k] = memory[at + k * rows + i]

    return compiled(outputs)
