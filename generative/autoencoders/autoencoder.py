"""What all autoencoders share: networks, likelihood, encoding, decoding, sampling."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, TypeVar, Unpack

import torch
from torch import Tensor, nn

from nets.layers.precision import at_least_float32

from ..model import Batch, GenerativeModel, Metrics, ModelOptions
from .config import AutoencoderConfig
from .losses import bernoulli_nll, squared_distance
from .networks import build_decoder, build_encoder

ConfigT = TypeVar("ConfigT", bound=AutoencoderConfig)


class AutoencoderOptions(ModelOptions, total=False):
    """What every autoencoder takes beside the shape of its data and its configuration."""

    encoder: nn.Module | None
    decoder: nn.Module | None


class Autoencoder(GenerativeModel[ConfigT]):
    """An encoder, a linear layer to the latents, and a decoder.

    Beside the arguments of `GenerativeModel`:

    Args:
        encoder: any module from `[B, *shape]` to `[B, encoder.out_features]`, itself and no copy;
            built as `config` says when None.
        decoder: any module from `[B, latent]` to `[B, *shape]`: logits or means of p(x | z).

    Raises:
        ValueError: if the data do not suit the encoder that `config` names.
        TypeError: if `encoder` has no `out_features`.
    """

    encoder_outputs: ClassVar[int] = 1
    """Numbers that the encoder gives per latent."""

    def __init__(
        self,
        shape: Sequence[int],
        config: ConfigT | None = None,
        *,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
        **options: Unpack[ModelOptions],
    ) -> None:
        super().__init__(shape, config, **options)
        self.pictures = len(self.shape) == 3
        self.likelihood: str = self.config.likelihood
        if self.likelihood == "auto":
            self.likelihood = "bernoulli" if self.pictures else "gaussian"
        if encoder is None:
            encoder, features = build_encoder(self.shape, self.config)
        else:
            features = _out_features(encoder)
            self.config = replace(self.config, encoder=encoder)
        outputs = self.encoder_outputs * self.config.latent
        self.encoder = nn.Sequential(encoder, nn.Linear(features, outputs))
        if decoder is not None:
            self.config = replace(self.config, decoder=decoder)
        self.decoder = build_decoder(self.shape, self.config) if decoder is None else decoder

    def encode(self, x: Tensor) -> Tensor:
        """Return latents `[B, D]` of data `[B, *shape]`."""
        return at_least_float32(self.encoder(x))

    def decode(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Return the mean of p(x | z), `[B, *shape]`, of latents `[B, D]`.

        Raises:
            ValueError: if there is a label: no autoencoder is conditional.
        """
        self.check_label(label)
        output = at_least_float32(self.decoder(z))
        return output.sigmoid() if self.likelihood == "bernoulli" else output

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return x̂ `[B, *shape]` of data `[B, *shape]`, by way of the latent mean."""
        return self.decode(self.encode(x))

    def reconstruction_loss(self, z: Tensor, x: Tensor) -> Tensor:
        """Return dist(x, g(z)) `[B]`: −log p(x | z) of Bernoulli pixels, or ‖x − g(z)‖²."""
        if self.likelihood == "bernoulli":
            return bernoulli_nll(self.decoder(z), x)
        return squared_distance(self.decoder(z), x)

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
        x = self.decode(self.prior(n), label)
        return x.clamp(0.0, 1.0) if self.pictures else x

    @torch.no_grad()
    def validate(self, batch: Batch) -> Metrics:
        """Return the mean of dist(x, x̂) as `loss` and as `reconstruction`."""
        loss = self.reconstruction_loss(self.encode(batch.x), batch.x).mean()
        return {"loss": loss, "reconstruction": loss}


def _out_features(encoder: nn.Module) -> int:
    features = getattr(encoder, "out_features", None)
    if not isinstance(features, int):
        raise TypeError(f"encoder is a {type(encoder).__name__}: expected one with out_features")
    return features
