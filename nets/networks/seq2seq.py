"""Sequence to sequence: an encoder reads, a decoder writes (curriculum N-SEQ)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..arguments import checked
from ..keywords import Keywords
from ..layers.attention import Attention, Score
from ..layers.padding import Padding
from .vocabulary import EOS, GO, PAD, teacher_forcing

State = Tensor | tuple[Tensor, Tensor]
CELLS: dict[str, type[nn.GRU] | type[nn.LSTM]] = {"gru": nn.GRU, "lstm": nn.LSTM}


class Read(NamedTuple):
    """What the encoder makes of a batch of sequences."""

    outputs: Tensor  # [T, B, H], 0 where there is padding
    state: State  # after the last token of each sequence
    valid: Tensor  # [T, B] bool: where there are tokens


class Seq2Seq(nn.Module, Keywords):
    """GRU or LSTM to GRU or LSTM, with or without attention (Sutskever, Vinyals & Le, 2014).

    The same decoder is trained by teacher forcing and writes by itself (N-SEQ-05). With attention
    it looks at the encoder's outputs after each step, as in Luong, Pham & Manning (2015).

    Args:
        source_size: tokens of the language that is read.
        target_size: V, tokens of the language that is written.
        embedding_size: E, size of a token's vector.
        hidden_size: H, size of the state.
        cell: `"gru"` or `"lstm"`.
        num_layers: layers of encoder and decoder.
        attention: `"dot"`, `"additive"` or None.
        tied: whether the last layer has the weights of the target's embedding (N-SEQ-08).

    Raises:
        ValueError: if the cell is unknown, or weights are tied and E is not H.
    """

    @checked
    def __init__(
        self,
        source_size: int,
        target_size: int,
        embedding_size: int = 64,
        hidden_size: int = 64,
        *,
        cell: Literal["gru", "lstm"] = "gru",
        num_layers: int = 1,
        attention: Score | None = None,
        tied: bool = False,
    ) -> None:
        super().__init__()
        if tied and embedding_size != hidden_size:
            message = f"tied weights need embedding_size = hidden_size, got {embedding_size}"
            raise ValueError(f"{message} and {hidden_size}")
        self.source = nn.Embedding(source_size, embedding_size, padding_idx=PAD)
        self.target = nn.Embedding(target_size, embedding_size, padding_idx=PAD)
        self.encoder = CELLS[cell](embedding_size, hidden_size, num_layers)
        self.decoder = CELLS[cell](embedding_size, hidden_size, num_layers)
        self.attention = None if attention is None else Attention(hidden_size, attention)
        self.combine = nn.Linear(2 * hidden_size, hidden_size) if attention else None
        self.output = nn.Linear(hidden_size, target_size)
        if tied:
            self.output.weight = self.target.weight

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return logits `[T' + 1, B, V]` of y₁ … yₙ EOS, each given those before it.

        Args:
            source: `[T, B]` int64, padded with PAD, before or behind.
            target: `[T', B]` int64, padded with PAD; padding before it is moved behind.
        """
        read = self.read(source)
        return self.write(teacher_forcing(target)[0], read.state, read)[0]

    def loss(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the mean cross-entropy of the tokens that are no padding (N-SEQ-03)."""
        logits, said = self(source, target), teacher_forcing(target)[1]
        return F.cross_entropy(logits.flatten(0, 1), said.flatten(), ignore_index=PAD)

    def read(self, source: Tensor) -> Read:
        """Encode `[T, B]`; the state is that after each sequence's last token (N-SEQ-04).

        Raises:
            ValueError: if a sequence is empty.
        """
        valid = source != PAD
        lengths = valid.sum(0).cpu()  # [B]
        if not bool((lengths > 0).all()):
            raise ValueError(f"sequence {int(lengths.argmin())} is empty")
        padding = Padding(valid)
        embedded = self.source(padding.to_front(source))
        packed = pack_padded_sequence(embedded, lengths, enforce_sorted=False)
        outputs, state = self.encoder(packed)
        outputs = pad_packed_sequence(outputs, total_length=len(source))[0]
        return Read(padding.put_back(outputs), state, valid)

    def write(self, tokens: Tensor, state: State, read: Read) -> tuple[Tensor, State]:
        """Return logits `[N, B, V]` of the tokens after `tokens` `[N, B]`, and the state."""
        outputs, state = self.decoder(self.target(tokens), state)  # [N, B, H]
        if self.attention is not None and self.combine is not None:
            context, _ = self.attention(outputs, read.outputs, read.valid)
            outputs = self.combine(torch.cat([outputs, context], -1)).tanh()
        return self.output(outputs), state

    @torch.no_grad()
    def generate(self, source: Tensor, max_steps: int) -> Tensor:
        """Write the most probable token at each step, until EOS or for `max_steps` (N-SEQ-07).

        Returns:
            Tokens `[N, B]` int64, N ≤ max_steps; PAD from each sequence's EOS on.
        """
        read = self.read(source)
        state, tokens = read.state, source.new_full((1, source.shape[1]), GO)
        ended = torch.zeros(source.shape[1], dtype=torch.bool, device=source.device)
        written = []
        for _ in range(max_steps):
            logits, state = self.write(tokens, state, read)
            tokens = logits.argmax(-1)  # [1, B]
            ended |= tokens[0] == EOS
            if bool(ended.all()):
                break
            written.append(tokens[0].masked_fill(ended, PAD))
        return torch.stack(written) if written else source.new_empty(0, source.shape[1])
