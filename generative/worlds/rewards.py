"""Rewards as a choice among values: those that were seen, or points that they lie between."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nets.layers.rssm import inverse_cdf

from .scales import symexp, symlog

MOST = 32
"""Values that are told apart; more are taken to be continuous."""
POINTS = 63


class RewardValues(nn.Module):
    """Turns logits into rewards, and rewards into what logits should be.

    A reward between two points counts for both, by its nearness: its *two-hot* code, whose mean is
    the reward itself (Imani and White, 2018).

    Args:
        values: ascending, R of them.
        exact: whether there are no rewards between them.
    """

    values: Tensor

    def __init__(self, values: list[float], exact: bool) -> None:
        super().__init__()
        self.exact = exact
        self.register_buffer("values", torch.tensor(values, dtype=torch.float32))  # [R]

    def __len__(self) -> int:
        return len(self.values)

    def two_hot(self, reward: Tensor) -> Tensor:
        """Return the weights `[*, R]` of the points about rewards `[*]`."""
        last = len(self.values) - 1
        above = torch.searchsorted(self.values, reward.contiguous()).clamp(0, last)
        below = (above - 1).clamp(min=0)
        low, high = self.values[below], self.values[above]
        share = ((reward - low) / (high - low).clamp(min=1e-12)).clamp(0.0, 1.0)
        share = torch.where(above == below, 1.0, share)
        code = torch.zeros(*reward.shape, last + 1, device=reward.device)
        code.scatter_add_(-1, below.unsqueeze(-1), (1 - share).unsqueeze(-1))
        return code.scatter_add_(-1, above.unsqueeze(-1), share.unsqueeze(-1))

    def loss(self, logits: Tensor, reward: Tensor) -> Tensor:
        """Return the cross-entropy `[*]` of logits `[*, R]` for rewards `[*]`."""
        code = self.two_hot(reward)
        return cross_entropy(logits.flatten(0, -2), code.flatten(0, -2), reduction="none").view(
            reward.shape
        )

    def draw(self, logits: Tensor, u: Tensor) -> Tensor:
        """Return rewards `[*]`: one of the values by uniform numbers `[*]`, or else the mean."""
        probabilities = logits.softmax(-1)
        if self.exact:
            return self.values[inverse_cdf(probabilities, u)]
        return (probabilities * self.values).sum(-1)


def reward_values(reward: Tensor) -> tuple[list[float], bool]:
    """Return the values of rewards `[N]`, and whether these are all there are.

    More than 32 are replaced by 63 points, evenly spaced on the scale of `symlog`.
    """
    seen = reward.unique()
    if len(seen) <= MOST:
        return seen.tolist(), True
    points = torch.linspace(float(symlog(seen[0])), float(symlog(seen[-1])), POINTS)
    return symexp(points).tolist(), False
