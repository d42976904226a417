"""The GRU as it was published: the reset gate comes before the product (curriculum N-RNN-06).

hₜ₋₁ is reset and then multiplied, n = tanh(W_in·xₜ + b_in + W_hn·(r ⊙ hₜ₋₁) + b_hn), where torch
multiplies and then resets. No choice of weights makes one the other. Cho et al. (2014).
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def cell(x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
    """Return the state `[B, H]` after one step of `x` `[B, D]` from the state `h` `[B, H]`."""
    return _step(torch.nn.functional.linear(x, w_ih, b_ih), h, w_hh, b_hh)


def sequence(
    x: Tensor, state: Tensor, weights: Sequence[Tensor], *_: object
) -> tuple[Tensor, Tensor]:
    """Run layers over `x` `[T, B, D]` from states `[layers, B, H]`, as `torch.gru` does.

    Returns:
        The outputs of the last layer `[T, B, H]`, and the states after the last step.
    """
    finals = []
    for layer, h in enumerate(state):
        w_ih, w_hh, b_ih, b_hh = weights[4 * layer : 4 * layer + 4]
        outputs = []
        for driven in torch.nn.functional.linear(x, w_ih, b_ih):  # [B, 3H], all steps at once
            h = _step(driven, h, w_hh, b_hh)
            outputs.append(h)
        x = torch.stack(outputs)  # [T, B, H]
        finals.append(h)
    return x, torch.stack(finals)


def _step(driven: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor) -> Tensor:
    """Return the next state, `driven` `[B, 3H]` being what the input adds to r, z and n."""
    size = 2 * h.shape[-1]
    gates = driven[:, :size] + torch.nn.functional.linear(h, w_hh[:size], b_hh[:size])
    r, z = gates.sigmoid().chunk(2, dim=1)
    n = torch.nn.functional.linear(r * h, w_hh[size:], b_hh[size:])
    return torch.lerp((driven[:, size:] + n).tanh(), h, z)  # (1 - z) ⊙ n + z ⊙ h
