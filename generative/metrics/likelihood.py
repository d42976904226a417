"""How probable held-out data are under a model with latents, curriculum G-VAE-01, G-VAE-02.

A model is anything with the two methods of `LatentModel`; `VAE` and its kin are.
"""

import math
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ..autoencoders.losses import gaussian_log_prob
from ..model import GenerativeModel, Rows


@runtime_checkable
class LatentModel(Protocol):
    """A model of data by way of latents of prior N(0, I), of which it knows q(z | x)."""

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return μ and log σ² `[B, D]` of q(z | x)."""
        ...

    def reconstruction_loss(self, z: Tensor, x: Tensor) -> Tensor:
        """Return −log p(x | z) `[B]` of latents `[B, D]`."""
        ...


@torch.no_grad()
def held_out_terms(model: GenerativeModel, data: Rows, *, rows: int = 1024) -> dict[str, float]:
    """Return the means over `data` of what `model.validate` measures: of a VAE, ELBO and terms.

    Args:
        model: the model, in evaluation mode.
        data: on the model's device.
        rows: of data that are measured at once, at most.
    """
    totals: dict[str, Tensor] = {}
    parts = -(-len(data) // rows)  # of equal size: some estimators look at a batch as a whole
    for index in torch.arange(len(data), device=data.device).tensor_split(parts):
        batch = data.batch(index)
        share = len(index) / len(data)
        for name, value in model.validate(batch).items():
            totals[name] = totals.get(name, torch.zeros_like(value)) + share * value
    return {name: value.item() for name, value in totals.items()}


@torch.no_grad()
def importance_log_likelihood(
    model: LatentModel, x: Tensor, *, samples: int = 1000, pairs: int = 1024
) -> Tensor:
    """Estimate log p(x) ≈ log 1/K Σ_k p(x | z_k) p(z_k) / q(z_k | x), z_k ~ q(z | x), in nats.

    Burda, Grosse & Salakhutdinov (2016), "Importance weighted autoencoders": on average the
    estimate is no more than log p(x), it rises with K, and with K = 1 it is the ELBO. The sum over
    k is carried along, so that memory does not grow with K.

    Args:
        model: gives q(z | x) and p(x | z); its prior is N(0, I).
        x: data `[N, ...]` in [0, 1] or vectors.
        samples: K.
        pairs: of a datum and a latent that are decoded at once.

    Returns:
        One estimate per datum, `[N]`. Its mean is the model's log-likelihood of the data.

    Raises:
        ValueError: `samples` or `pairs` is below 1.
    """
    if samples < 1 or pairs < 1:
        raise ValueError(f"samples is {samples}, pairs {pairs}: expected at least 1")
    rows = max(1, pairs // samples)
    return torch.cat([_of_rows(model, part, samples, pairs) for part in x.split(rows)])


def _of_rows(model: LatentModel, x: Tensor, samples: int, pairs: int) -> Tensor:
    """Estimate log p(x) `[B]` of rows `[B, ...]`, as many draws at once as `pairs` allow."""
    mean, logvar = model.posterior(x)  # [B, D]
    total = mean.new_full((len(x),), -math.inf)
    drawn = 0
    while drawn < samples:
        k = min(samples - drawn, max(1, pairs // len(x)))
        noise = torch.randn(k, *mean.shape, dtype=mean.dtype, device=mean.device)
        z = mean + torch.exp(0.5 * logvar) * noise  # [k, B, D]
        repeated = x.expand(k, *x.shape).flatten(0, 1)  # [k·B, ...]
        log_likelihood = -model.reconstruction_loss(z.flatten(0, 1), repeated).view(k, len(x))
        log_prior = gaussian_log_prob(z, torch.zeros_like(z), torch.zeros_like(z)).sum(-1)
        log_posterior = gaussian_log_prob(z, mean, logvar).sum(-1)  # [k, B]
        weights = (log_likelihood + log_prior - log_posterior).logsumexp(0)  # [B]
        total, drawn = torch.logaddexp(total, weights), drawn + k
    return total - math.log(samples)
