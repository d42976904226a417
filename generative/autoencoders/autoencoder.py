"""What all autoencoders share: networks, likelihood, encoding, decoding, sampling."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..model import Batch, GenerativeModel, Metrics
from . import losses
from .networks import _out_features, build_decoder, build_encoder


class Autoencoder(GenerativeModel):
    """An encoder, a linear layer to the latents, and a decoder.

    Args:
        shape: see `GenerativeModel`; so too the three that follow.
        config: settings.
        dataset_size: rows of the training data.
        num_classes: of the labels, which autoencoders do not look at.
        encoder: any module from `[B, *shape]` to `[B, encoder.out_features]`; built as `config`
            says when None.
        decoder: any module from `[B, latent]` to `[B, *shape]`: logits or means of p(x | z).

    Raises:
        ValueError: if the data do not suit the encoder that `config` names.
        TypeError: if `encoder` has no `out_features`.
    """

    encoder_outputs: ClassVar[int] = 1
    """Numbers that the encoder gives per latent."""
    config: Any

    def __init__(
        self,
        shape: Sequence[int],
        config: Any = None,
        *,
        dataset_size: int,
        num_classes: int | None = None,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
    ) -> None:
        super().__init__(shape, config, dataset_size=dataset_size, num_classes=num_classes)
        self.pictures = len(self.shape) == 3
        self.likelihood = self.config.likelihood
        if self.likelihood == "auto":
            self.likelihood = "bernoulli" if self.pictures else "gaussian"
        features = build_encoder(self.shape, self.config) if encoder is None else encoder
        outputs = self.encoder_outputs * self.config.latent
        self.encoder = nn.Sequential(features, nn.Linear(_out_features(features), outputs))
        self.decoder = build_decoder(self.shape, self.config) if decoder is None else decoder

    def encode(self, x: Tensor) -> Tensor:
        """Return latents `[B, D]` of data `[B, *shape]`."""
        return losses.at_least_float32(self.encoder(x))

    def decode(self, z: Tensor) -> Tensor:
        """Return the mean of p(x | z), `[B, *shape]`, of latents `[B, D]`."""
        output = losses.at_least_float32(self.decoder(z))
        return output.sigmoid() if self.likelihood == "bernoulli" else output

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return x̂ `[B, *shape]` of data `[B, *shape]`, by way of the latent mean."""
        return self.decode(self.encode(x))

    def reconstruction_loss(self, z: Tensor, x: Tensor) -> Tensor:
        """Return dist(x, g(z)) `[B]`: −log p(x | z) of Bernoulli pixels, or ‖x − g(z)‖²."""
        if self.likelihood == "bernoulli":
            return losses.bernoulli_nll(self.decoder(z), x)
        return losses.squared_distance(self.decoder(z), x)

    def prior(self, n: int) -> Tensor:
        """Draw latents `[n, D]` of N(0, I)."""
        like = next(self.encoder.parameters())
        return torch.randn(n, self.config.latent, dtype=like.dtype, device=like.device)

    @torch.no_grad()
    def sample(self, n: int, label: Tensor | None = None) -> Tensor:
        """Draw `[n, *shape]`: means of p(x | z) for latents of the prior; pictures in [0, 1].

        Raises:
            ValueError: if there is a label: no autoencoder is conditional.
        """
        if label is not None:
            raise ValueError(f"{self.name} is not conditional: it takes no label")
        x = self.decode(self.prior(n))
        return x.clamp(0.0, 1.0) if self.pictures else x

    @torch.no_grad()
    def validate(self, batch: Batch) -> Metrics:
        """Return the mean of dist(x, x̂) as `loss` and as `reconstruction`."""
        loss = self.reconstruction_loss(self.encode(batch.x), batch.x).mean()
        return {"loss": loss, "reconstruction": loss}
