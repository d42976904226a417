"""Tokens as numbers: vocabularies, padding, embeddings' indices (curriculum N-SEQ-02, 03, 10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ..glance import Shown
from ..inputs import explained

PAD, GO, EOS, UNK = range(4)
SPECIAL = ("<pad>", "<go>", "<eos>", "<unk>")


class Vocabulary(Shown):
    """Numbers for tokens: four special ones, then the others, the most frequent first (N-SEQ-10).

    Args:
        sequences: of tokens, to count.
        min_count: rarer tokens are unknown.
        max_size: most tokens, the special ones not counted; None for all.

    Attributes:
        counts: how often each token occurred.
        tokens: the tokens by number.
    """

    def __init__(
        self,
        sequences: Iterable[Iterable[Hashable]],
        *,
        min_count: int = 1,
        max_size: int | None = None,
    ) -> None:
        self.counts = Counter(token for sequence in sequences for token in sequence)
        kept = [t for t, count in self.counts.most_common(max_size) if count >= min_count]
        self.tokens: tuple[Any, ...] = (*SPECIAL, *kept)
        self._number = {token: k for k, token in enumerate(self.tokens) if k >= len(SPECIAL)}

    @property
    def facts(self) -> dict[str, Any]:
        """How many tokens there are, and the most frequent."""
        return {"size": len(self), "most_frequent": list(self.tokens[len(SPECIAL) :][:3])}

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, sequences: Sequence[Sequence[Hashable]]) -> Tensor:
        """Return the numbers of tokens, `[T, B]` int64, short sequences padded with PAD."""
        rows = [[self._number.get(t, UNK) for t in sequence] for sequence in sequences]
        return pad_sequence([torch.tensor(row, dtype=torch.int64) for row in rows])

    def decode(self, numbers: Tensor) -> list[list[Any]]:
        """Return the tokens of `[T, B]`, each sequence up to its EOS, without its padding."""
        rows = []
        for column in numbers.t().tolist():
            said = column[: column.index(EOS)] if EOS in column else column
            rows.append([self.tokens[number] for number in said if number != PAD])
        return rows


@explained
def teacher_forcing(target: Tensor) -> tuple[Tensor, Tensor]:
    """Return what a decoder reads, GO y₁ … yₙ, and what it must say, y₁ … yₙ EOS (N-SEQ-06).

    Args:
        target: `[T, B]` int64, padded with PAD; padding before a sequence is moved behind it.

    Returns:
        Inputs and outputs, `[T + 1, B]`.
    """
    batch = target.shape[1]
    target = target.gather(0, (target == PAD).to(torch.uint8).argsort(dim=0, stable=True))
    read = torch.cat([target.new_full((1, batch), GO), target])  # [T + 1, B]
    said = torch.cat([target, target.new_full((1, batch), PAD)])
    lengths = (target != PAD).sum(0)  # [B]
    return read, said.scatter(0, lengths[None], EOS)
