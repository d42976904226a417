"""Resets in the middle of a sequence, at the speed of torch's own recurrent kernels.

A kernel of torch's runs from the first step to the last without stopping, so nobody can zero its
state where an episode starts. But an input can: one that saturates the gates makes a layer forget.
So every start gets a step of its own before it (the RNN needs two), in which nothing is seen but a
signal, and the kernel runs over the longer sequence as if nothing had happened:

    steps    x₀  x₁  x₂  x₃          an episode starts with x₂
    laid out x₀  x₁  ▮   x₂  x₃      ▮: the signal is 1, x is 0
    state    h₀  h₁  0   h₂  h₃

Signals are further columns of the input; how a layer hears them is further columns of its input
weights: ±1e4 into gates, which makes σ exactly 0 or 1 and its slope exactly 0. So the state becomes
exactly zero, and no gradient crosses a start. Where a batch has columns with fewer starts than
others, these end early. Their last h is an output, but the LSTM's c is not: a signal holds it.
"""

from __future__ import annotations

import torch
from torch import Tensor

SATURATING = 1e4  # σ(±1e4) is exactly 0 or 1, tanh(1e4) exactly 1, and float16 can hold it

_exporting = getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)  # torch 2.6


def unseen(numbers: Tensor) -> bool:
    """Whether nobody can look at numbers: there are none, or a program of any is exported."""
    return numbers.is_meta or _exporting()


class Timeline:
    """The steps of a batch laid on a longer time axis on which every start has room.

    Args:
        starts: bool `[T, B]`.
        room: steps added before each start.
        dtype: type of the signals.
        lengths: steps of each sequence `[B]`, all T where None; nothing starts behind them.

    Attributes:
        signals: `[L, B, room + 1]`; signal k < room is 1 at the k-th added step before a start,
            the last signal is 1 from the end of the column's steps on, all else is 0.
    """

    def __init__(
        self, starts: Tensor, room: int, dtype: torch.dtype, lengths: Tensor | None = None
    ) -> None:
        steps, batch = starts.shape
        device = starts.device
        delay = room * starts.cumsum(0)  # [T, B]
        length = steps + (room * steps if unseen(delay) else int(delay[-1].max()))
        time = torch.arange(steps, device=device)[:, None] + delay  # [T, B]
        self._index = (time * batch + torch.arange(batch, device=device)).flatten()  # [T * B]

        flags = starts.flatten().to(dtype)  # [T * B]
        signals = flags.new_zeros(room + 1, length * batch)
        for k in range(room):
            signals[k].index_add_(0, (self._index - (room - k) * batch).clamp(min=0), flags)
        last = time[-1] if lengths is None else time.gather(0, lengths[None] - 1)[0]  # [B]
        ended = torch.arange(length, device=device)[:, None] > last  # [L, B]
        signals[room] = ended.flatten()
        self.signals = signals.t().view(length, batch, room + 1)

    def spread(self, x: Tensor) -> Tensor:
        """Lay `x` `[T, B, D]` out as `[L, B, D + room + 1]`, the signals behind it."""
        length, batch, _ = self.signals.shape
        grid = x.new_zeros(length * batch, x.shape[-1])
        grid = grid.index_copy(0, self._index, x.flatten(0, 1))
        return torch.cat([grid.view(length, batch, -1), self.signals], dim=-1)

    def collect(self, y: Tensor) -> Tensor:
        """Take the steps back: `[L, B, H]` to `[T, B, H]`."""
        batch, width = y.shape[1:]
        return y.flatten(0, 1).index_select(0, self._index).view(-1, batch, width)


# How layers hear the signals: input weights `[gates·H, room + 1]` ---------------------------------


def rnn_signals(w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
    """Return the weights of three signals: saturate, cancel, and the end, which means nothing.

    The state hₜ = tanh(signal + b_ih + b_hh + W_hh·hₜ₋₁) is 1 after the first, whatever it was, so
    that the second knows what to cancel. The last output is the final state: nothing to keep.
    """
    saturate = torch.full_like(b_ih, SATURATING)
    cancel = -(w_hh.sum(1) + b_ih + b_hh)  # tanh(W_hh·1 + b_ih + b_hh + cancel) = 0
    return torch.stack([saturate, cancel, torch.zeros_like(b_ih)], 1)


def lstm_signals(b_ih: Tensor) -> Tensor:
    """Return the weights of two signals into the gates (i, f, g, o): erase, hold.

    i = f = o = 0 make c = 0 and h = 0; i = 0 with f = 1 keeps c.
    """
    opened = b_ih.new_full((len(b_ih) // 4,), SATURATING)
    shut, free = -opened, torch.zeros_like(opened)
    erase = torch.cat([shut, shut, free, shut])
    hold = torch.cat([shut, opened, free, shut])
    return torch.stack([erase, hold], 1)


def gru_signals(b_n: Tensor) -> Tensor:
    """Return the weights of two signals into the gates (r, z, n): erase, and the end.

    r = z = 0 leave h = n = tanh(signal + b_n), b_n `[H]` being the bias that r does not shut.
    """
    shut = b_n.new_full((2 * len(b_n),), -SATURATING)
    erase = torch.cat([shut, -b_n])
    return torch.stack([erase, torch.zeros_like(erase)], 1)
