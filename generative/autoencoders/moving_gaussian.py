"""The Gaussian of latents, followed by moving averages while they are learned."""

import torch
from torch import Tensor, nn


class MovingGaussian(nn.Module):
    """Mean and covariance of vectors seen lately: of the first 100 batches all, then 1 % of each.

    Args:
        features: size of the vectors, D.
    """

    count: Tensor
    mean: Tensor
    covariance: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("covariance", torch.eye(features))

    @torch.no_grad()
    def update(self, z: Tensor) -> None:
        """Move the moments towards those of a batch `[B, D]`."""
        self.count += 1.0
        rate = (1.0 / self.count).clamp(min=0.01)
        from_old = z - self.mean  # [B, D]
        self.mean.lerp_(z.mean(0), rate)
        products = from_old.unsqueeze(2) * (z - self.mean).unsqueeze(1)  # [B, D, D], Welford's
        self.covariance.lerp_(products.mean(0), rate)

    def sample(self, n: int) -> Tensor:
        """Draw vectors `[n, D]`."""
        jitter = torch.full_like(self.mean, 1e-6).diag()  # for latents that hardly vary
        root = torch.linalg.cholesky(self.covariance + jitter)
        return self.mean + torch.randn_like(self.mean.expand(n, -1)) @ root.T
