"""The perceptron (Rosenblatt, 1958): a line between two classes, found by mistakes."""

import torch
from torch import Tensor, nn

from ..arguments import checked
from ..keywords import Keywords


class Perceptron(nn.Module, Keywords):
    """o = sign(w·x + b), +1 or −1; at 0 it says −1 (curriculum N-LIN-01, N-ACT-10).

    There is no gradient to learn from: the sign is flat. `fit` corrects mistakes instead.

    Args:
        in_features: size of the input.
    """

    weight: Tensor
    bias: Tensor

    @checked
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(in_features))
        self.register_buffer("bias", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return the class of each row of `[B, D]`, `[B]` of −1 and +1."""
        return torch.where(x @ self.weight + self.bias > 0, 1.0, -1.0)

    def fit(
        self, x: Tensor, target: Tensor, *, learning_rate: float = 0.5, max_epochs: int = 1000
    ) -> int:
        """Go through the rows until none is mistaken: w ← w + η(t − o)x, b ← b + η(t − o).

        On classes that a line separates with margin γ it makes at most ((R + 1)/γ)² mistakes, R
        being the longest row's length (Novikoff, 1962); on others it never ends.

        Args:
            x: rows `[N, D]`.
            target: their classes, `[N]` of −1 and +1.
            learning_rate: η; from weights of 0 it scales them and changes no decision.
            max_epochs: passes over the rows before giving up.

        Returns:
            The number of mistakes made.

        Raises:
            ValueError: if a target is neither −1 nor +1.
        """
        if not bool(((target == 1) | (target == -1)).all()):
            raise ValueError(f"targets must be -1 or 1, got {target.unique().tolist()}")
        mistakes = 0
        for _ in range(max_epochs):
            before = mistakes
            for row, t in zip(x, target, strict=True):
                error = t - self(row)
                if error:
                    self.weight += learning_rate * error * row
                    self.bias += learning_rate * error
                    mistakes += 1
            if mistakes == before:
                break
        return mistakes
