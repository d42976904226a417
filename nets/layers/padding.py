"""Sequences of different lengths in one batch, padded before or behind."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .resets import unseen


class Padding:
    """Where a batch has steps, and where it is only filled up.

    Args:
        valid: bool `[T, B]`: True where there is a step; gaps are read over.

    Attributes:
        valid: the same.
        lengths: steps of each sequence, `[B]`.
        front: bool `[T, B]`: where steps are once they have been moved to the front.

    Raises:
        ValueError: a sequence has no step.
    """

    def __init__(self, valid: Tensor) -> None:
        self.valid, self.lengths = valid, valid.sum(0)
        if not unseen(valid) and bool((self.lengths == 0).any()):
            raise ValueError(
                f"sequence {int(self.lengths.argmin())} has no step, expected at least 1"
            )
        self._order = (~valid).to(torch.uint8).argsort(dim=0, stable=True)  # [T, B]
        self._time = torch.arange(len(valid), device=valid.device)[:, None]  # [T, 1]
        self.front = self._time < self.lengths

    def to_front(self, x: Tensor) -> Tensor:
        """Move the steps of `x` `[T, B, ...]` to the front; behind them is 0."""
        return self._taken(x, self._order).masked_fill(~_like(self.front, x), 0)

    def put_back(self, y: Tensor) -> Tensor:
        """Move the steps of `y` `[T, B, ...]` from the front to where they were; 0 elsewhere."""
        places = _like(self._order, y).expand_as(y)
        whole = torch.zeros_like(y).scatter(0, places, y)
        return whole.masked_fill(~_like(self.valid, y), 0)

    def backwards(self, x: Tensor) -> Tensor:
        """Reverse the steps of each sequence of `x` `[T, B, ...]`, steps in front."""
        order = torch.where(self.front, self.lengths - 1 - self._time, self._time)  # [T, B]
        return self._taken(x, order)

    def last(self, y: Tensor) -> Tensor:
        """Return the last step `[B, H]` of each sequence of `y` `[T, B, H]`, steps in front."""
        place = (self.lengths - 1)[None, :, None].expand(1, -1, y.shape[-1])
        return y.gather(0, place)[0]

    @staticmethod
    def _taken(x: Tensor, order: Tensor) -> Tensor:
        return x.gather(0, _like(order, x).expand_as(x))


def padding_of(x: Tensor, lengths: Tensor | None, valid: Tensor | None) -> Padding | None:
    """Return the padding of `x` `[T, B, D]`; None where nothing is said of it.

    Args:
        x: sequences.
        lengths: integers `[B]` from 1 to T: padding is behind.
        valid: bool `[T, B]`: padding is wherever it is False.

    Raises:
        ValueError: both are given, or do not fit.
        TypeError: `valid` is not bool, or `lengths` are no integers.
    """
    if lengths is None and valid is None:
        return None
    if lengths is not None and valid is not None:
        raise ValueError("lengths and valid say the same: expected one of them")
    steps, batch = x.shape[:2]
    if valid is not None:
        if valid.dtype != torch.bool:
            raise TypeError(f"valid must be bool, got {valid.dtype}; write valid.bool()")
        if valid.shape != (steps, batch):
            raise ValueError(f"valid has shape {list(valid.shape)}, expected {[steps, batch]}")
        return Padding(valid.to(x.device))
    lengths = torch.as_tensor(lengths, device=x.device)
    if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool:
        raise TypeError(f"lengths are {lengths.dtype}, expected integers")
    if lengths.shape != (batch,):
        raise ValueError(f"lengths have shape {list(lengths.shape)}, expected {[batch]}")
    if not unseen(lengths):
        low, high = (int(length) for length in lengths.aminmax())
        if low < 1 or high > steps:
            raise ValueError(f"lengths range from {low} to {high}, expected 1 to {steps}")
    return Padding(torch.arange(steps, device=x.device)[:, None] < lengths)


def padded(packed: PackedSequence) -> tuple[Tensor, Padding]:
    """Return what was packed, `[T, B, D]` in the order of before, and its padding."""
    x, lengths = torch.nn.utils.rnn.pad_packed_sequence(packed)
    return x, Padding(torch.arange(len(x))[:, None].to(x.device) < lengths.to(x.device))


def packed_like(y: Tensor, padding: Padding, packed: PackedSequence) -> PackedSequence:
    """Pack `y` `[T, B, H]` in the way in which `packed` is."""
    valid, order = padding.valid, packed.sorted_indices
    if order is not None:
        y, valid = y[:, order], valid[:, order]
    return PackedSequence(y[valid], packed.batch_sizes, order, packed.unsorted_indices)


def _like(mask: Tensor, x: Tensor) -> Tensor:
    """Give `[T, B]` as many dimensions as `x` `[T, B, ...]` has."""
    return mask.view(*mask.shape, *[1] * (x.dim() - 2))
