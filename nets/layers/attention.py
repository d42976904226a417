"""Attention: a mean of what was seen, weighted by how well it fits a question
(curriculum N-SEQ-09).
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from ..keywords import Keywords

Score = Literal["dot", "additive"]
SCORES = ("dot", "additive")


class Attention(nn.Module, Keywords):
    """α = softmax over valid j of score(sᵢ, hⱼ), cᵢ = Σⱼ αᵢⱼ hⱼ.

    `dot`: score(s, h) = s·h / √H, as in `F.scaled_dot_product_attention`. `additive`:
    vᵀ tanh(W s + U h), Bahdanau, Cho & Bengio (2015).

    Args:
        size: H, of questions and memories.
        score: `"dot"` or `"additive"`.

    Raises:
        ValueError: if the score is unknown.
    """

    def __init__(self, size: int, score: Score = "dot") -> None:
        super().__init__()
        if score not in SCORES:
            raise ValueError(f"score must be one of {', '.join(SCORES)}, got {score!r}")
        self.score = score
        if score == "additive":
            self.question = nn.Linear(size, size, bias=False)
            self.memory = nn.Linear(size, size)
            self.value = nn.Linear(size, 1, bias=False)

    def forward(self, s: Tensor, h: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Ask `s` `[N, B, H]` of `h` `[T, B, H]`.

        Args:
            s: questions.
            h: memories.
            valid: bool `[T, B]`, which memories there are; None for all.

        Returns:
            Answers `[N, B, H]`, and the weights `[N, B, T]`: exactly 0 where nothing is.
        """
        s, h = s.transpose(0, 1), h.transpose(0, 1)  # [B, N, H], [B, T, H]
        if self.score == "dot":
            scores = s @ h.transpose(1, 2) / math.sqrt(s.shape[-1])  # [B, N, T]
        else:
            hidden = self.question(s)[:, :, None] + self.memory(h)[:, None]  # [B, N, T, H]
            scores = self.value(hidden.tanh()).squeeze(-1)
        if valid is not None:
            scores = scores.masked_fill(~valid.t()[:, None], -math.inf)
        weights = torch.softmax(scores, -1)
        return (weights @ h).transpose(0, 1), weights.transpose(0, 1)
