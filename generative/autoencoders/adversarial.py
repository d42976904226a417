"""The autoencoder whose latents deceive a discriminator."""

from collections.abc import Sequence
from typing import Unpack

import torch
from torch import Tensor, nn

from nets.layers.mlp import MLP
from nets.layers.precision import at_least_float32

from ..gans.losses import discriminator_loss, non_saturating_loss
from ..model import Batch, Loss, Player
from .autoencoder import Autoencoder, AutoencoderOptions
from .config import AAEConfig


class AAE(Autoencoder[AAEConfig]):
    """Adversarial autoencoder: a discriminator brings the latents to N(0, I), curriculum G-AE-02.

    In turn (a) encoder and decoder lower dist(x, x̂), (b) D tells draws of N(0, I) from latents,
    (c) the encoder lowers −E log D(f(x)). Makhzani et al. (2015), with a deterministic encoder.
    """

    name = "aae"
    config_type = AAEConfig

    def __init__(
        self,
        shape: Sequence[int],
        config: AAEConfig | None = None,
        **options: Unpack[AutoencoderOptions],
    ) -> None:
        super().__init__(shape, config, **options)
        hidden, activation = self.config.discriminator_hidden, self.config.activation
        self.discriminator = MLP(self.latent, hidden, 1, activation=activation)

    def players(self) -> Sequence[Player]:
        """Return the three players: autoencoder, discriminator, and the encoder alone."""
        return (
            Player("autoencoder", nn.ModuleList([self.encoder, self.decoder]), self.loss),
            Player("discriminator", self.discriminator, self.discriminator_step),
            Player("encoder", self.encoder, self.encoder_step),
        )

    def loss(self, batch: Batch) -> Loss:
        """Return the mean of dist(x, g(f(x)))."""
        loss = self.reconstruction_loss(self.encode(batch.x), batch.x, self.told(batch)).mean()
        return Loss(loss, {"reconstruction": loss.detach()})

    def discriminator_step(self, batch: Batch) -> Loss:
        """Return −E[log D(z)] − E[log(1 − D(f(x)))], z ~ N(0, I), f held fixed."""
        with torch.no_grad():
            latents = self.encode(batch.x)  # [B, D]
        real, fake = self.judge(torch.randn_like(latents)), self.judge(latents)  # [B], [B]
        return Loss(discriminator_loss(real, fake), {})

    def encoder_step(self, batch: Batch) -> Loss:
        """Return −E[log D(f(x))], D held fixed."""
        return Loss(non_saturating_loss(self.judge(self.encode(batch.x))), {})

    def judge(self, z: Tensor) -> Tensor:
        """Return the discriminator's logits `[B]` of latents `[B, D]`."""
        return at_least_float32(self.discriminator(z)).squeeze(1)
