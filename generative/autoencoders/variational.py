"""Variational autoencoders: latents near N(0, I) by KL, as a whole or part by part."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, Unpack

import torch
from torch import Tensor, nn

from nets.layers.precision import at_least_float32

from ..model import Batch, Loss, Metrics, Player
from .autoencoder import Autoencoder, AutoencoderOptions
from .config import BetaTCVAEConfig, BetaVAEConfig, VAEConfig, VariationalConfig
from .losses import (
    bernoulli_nll,
    gaussian_nll,
    reparameterize,
    standard_normal_kl,
    standard_normal_kls,
)
from .total_correlation import total_correlation_decomposition

LOGVAR_LIMIT = 20.0
ACTIVE = 0.01  # nats of KL above which a latent says something of the data


ConfigT = TypeVar("ConfigT", bound=VariationalConfig)


class Variational(Autoencoder[ConfigT]):
    """Lowers E_q[−log p(x | z)] + R, R regularising q(z | x) = N(μ, diag σ²).

    Losses are summed over dimensions and averaged over the batch; the encoder gives μ and log σ².
    """

    encoder_outputs = 2
    log_scale: Tensor | float
    steps: Tensor

    def __init__(
        self,
        shape: Sequence[int],
        config: ConfigT | None = None,
        **options: Unpack[AutoencoderOptions],
    ) -> None:
        super().__init__(shape, config, **options)
        self.log_scale = math.log(self.config.scale)
        if self.likelihood == "gaussian" and self.config.learn_scale:
            sizes = () if self.pictures else self.shape
            self.log_scale = nn.Parameter(torch.full(sizes, self.log_scale))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def players(self) -> Sequence[Player]:
        """Return the one player."""
        return (Player("autoencoder", self, self.loss),)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return μ and log σ² `[B, D]` of q(z | x), the latter within ±20, curriculum G-VAE-04.

        Beyond the limits the gradient is that of the limit: what is out there comes back.
        """
        mean, logvar = at_least_float32(self._encoded(x)).chunk(2, dim=1)
        with torch.no_grad():
            excess = logvar - logvar.clamp(-LOGVAR_LIMIT, LOGVAR_LIMIT)
        return mean, logvar - excess

    def encode(self, x: Tensor) -> Tensor:
        """Return the latent mean μ `[B, D]` of data `[B, *shape]`."""
        return self.posterior(x)[0]

    def _distance(self, output: Tensor, x: Tensor) -> Tensor:
        """Return −log p(x | z) `[B]` of what the decoder gives and data `[B, *shape]`."""
        if self.likelihood == "gaussian":
            return gaussian_nll(output, x, self.log_scale)
        return bernoulli_nll(output, x)

    def _over_classes(self, distances: Tensor) -> Tensor:
        """Return −log 1/K Σ_k p(x | z, k) `[B]` of −log p(x | z, k) `[K, B]`."""
        return math.log(len(distances)) - (-distances).logsumexp(0)

    @abstractmethod
    def regularizer(self, z: Tensor, mean: Tensor, logvar: Tensor) -> tuple[Tensor, Metrics]:
        """Return R of latents drawn, their means and log-variances `[B, D]`, and its terms."""

    def loss(self, batch: Batch) -> Loss:
        """Return reconstruction + w·regulariser; w rises to 1 over `kl_warmup_steps`."""
        reconstruction, penalty, metrics = self._terms(batch, *self.posterior(batch.x))
        if self.config.kl_warmup_steps:
            penalty = penalty * (self.steps / self.config.kl_warmup_steps).clamp(max=1.0)
            self.steps += 1
        return Loss(reconstruction + penalty, metrics)

    @torch.no_grad()
    def validate(self, batch: Batch) -> Metrics:
        """Return the loss with all weights as they end, the ELBO, and the terms of both.

        `active_latents` is the share of latents whose KL, on average over the rows, exceeds 0.01:
        the others say nothing of the data.
        """
        mean, logvar = self.posterior(batch.x)  # [B, D]
        reconstruction, penalty, metrics = self._terms(batch, mean, logvar)
        kl = standard_normal_kl(mean, logvar).mean()
        units = standard_normal_kls(mean, logvar).mean(0)  # [D]
        measured = {
            "loss": reconstruction + penalty,
            "elbo": -(reconstruction + kl),
            "kl": kl,
            "active_latents": (units > ACTIVE).float().mean(),
        }
        return {**metrics, **measured}

    def _terms(self, batch: Batch, mean: Tensor, logvar: Tensor) -> tuple[Tensor, Tensor, Metrics]:
        z = reparameterize(mean, logvar)  # [B, D]
        reconstruction = self.reconstruction_loss(z, batch.x, self.told(batch)).mean()
        penalty, terms = self.regularizer(z, mean, logvar)
        return reconstruction, penalty, {"reconstruction": reconstruction.detach(), **terms}


class VAE(Variational[VAEConfig]):
    """Variational autoencoder: lowers E_q[−log p(x | z)] + KL(q(z | x) ‖ N(0, I)).

    That is −ELBO, curriculum G-VAE-01 to G-VAE-06. Kingma & Welling (2014). With `free_nats` no
    latent is pressed to say less than that many nats, which keeps those alive that have little to
    say yet: free bits of Kingma et al. (2016).
    """

    name = "vae"
    config_type = VAEConfig

    def regularizer(self, z: Tensor, mean: Tensor, logvar: Tensor) -> tuple[Tensor, Metrics]:
        """Return Σ_d max(λ, E KL(q(z_d | x) ‖ N(0, 1))), λ `free_nats`, and the KL."""
        return _kl_above(mean, logvar, self.config.free_nats)


class BetaVAE(Variational[BetaVAEConfig]):
    """β-VAE: lowers E_q[−log p(x | z)] + β·KL, curriculum G-VAE-07. Higgins et al. (2017)."""

    name = "beta-vae"
    config_type = BetaVAEConfig

    def regularizer(self, z: Tensor, mean: Tensor, logvar: Tensor) -> tuple[Tensor, Metrics]:
        """Return β Σ_d max(λ, E KL(q(z_d | x) ‖ N(0, 1))), λ `free_nats`, and the KL."""
        kl, terms = _kl_above(mean, logvar, self.config.free_nats)
        return self.config.beta * kl, terms


class BetaTCVAE(Variational[BetaTCVAEConfig]):
    """β-TCVAE: lowers E_q[−log p(x | z)] + α·I(z; x) + β·TC(z) + γ·Σ_d KL(q(z_d) ‖ p(z_d)).

    With α = β = γ = 1 it is a VAE in expectation. Curriculum G-VAE-08, G-VAE-09. Chen et al.
    (2018).
    """

    name = "beta-tcvae"
    config_type = BetaTCVAEConfig

    def regularizer(self, z: Tensor, mean: Tensor, logvar: Tensor) -> tuple[Tensor, Metrics]:
        """Return α·I(z; x) + β·TC(z) + γ·Σ_d KL(q(z_d) ‖ p(z_d)) and its three terms."""
        rows = max(self.dataset_size, len(z))  # held-out batches may be larger than the data
        information, correlation, dimensions = total_correlation_decomposition(
            z, mean, logvar, dataset_size=rows, estimator=self.config.estimator
        )
        alpha, beta, gamma = self.config.alpha, self.config.beta, self.config.gamma
        terms = {
            "mutual_information": information.detach(),
            "total_correlation": correlation.detach(),
            "dimension_wise_kl": dimensions.detach(),
        }
        return alpha * information + beta * correlation + gamma * dimensions, terms


def _kl_above(mean: Tensor, logvar: Tensor, free_nats: float) -> tuple[Tensor, Metrics]:
    """Return Σ_d max(λ, E KL(q(z_d | x) ‖ N(0, 1))), and the KL."""
    kls = standard_normal_kls(mean, logvar).mean(0)  # [D]
    return kls.clamp(min=free_nats).sum(), {"kl": kls.sum().detach()}
