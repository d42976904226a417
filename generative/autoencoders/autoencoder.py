"""What all autoencoders share: networks, likelihood, encoding, decoding, sampling."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, TypeVar, Unpack

import torch
from torch import Tensor, nn

from nets.layers.precision import at_least_float32

from ..classes import Label, require_rows
from ..gans.networks import with_label
from ..model import Batch, GenerativeModel, Metrics, ModelOptions
from .config import AutoencoderConfig
from .losses import bernoulli_nll, squared_distance
from .networks import build_decoder, build_encoder

ConfigT = TypeVar("ConfigT", bound=AutoencoderConfig)


LATENTS = 10  # where nobody says how many


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
        decoder: any module from `[B, latent]` to `[B, *shape]`: logits or means of p(x | z); of a
            conditional model from `[B, latent + K]`, the class behind the latents, one-hot.

    Raises:
        ValueError: if the data do not suit the encoder that `config` names, or have no classes for
            a conditional model.
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
        self.latent: int = self.config.latent or LATENTS
        self.config = replace(self.config, latent=self.latent)
        if getattr(self.config, "conditional", False):  # latents of an AE would say the class, too
            self.tell_classes()
        self.pictures = len(self.shape) == 3
        self.likelihood: str = self.config.likelihood
        if self.likelihood == "auto":
            self.likelihood = "bernoulli" if self.pictures else "gaussian"
        if encoder is None:
            encoder, features = build_encoder(self.shape, self.config)
        else:
            features = _out_features(encoder)
            self.config = replace(self.config, encoder=encoder)
        outputs = self.encoder_outputs * self.latent
        self.encoder = nn.Sequential(encoder, nn.Linear(features, outputs))
        if decoder is not None:
            self.config = replace(self.config, decoder=decoder)
        if decoder is None:
            decoder = build_decoder(self.shape, self.config, self.latent + self.classes)
        self.decoder = decoder

    def encode(self, x: Tensor) -> Tensor:
        """Return latents `[B, D]` of data `[B, *shape]`."""
        return at_least_float32(self._encoded(x))

    def _encoded(self, x: Tensor) -> Tensor:
        require_rows("x", x, self.shape)
        return self.encoder(x)

    def decode(self, z: Tensor, label: Label = None) -> Tensor:
        """Return the mean of p(x | z), `[B, *shape]`, of latents `[B, D]`.

        Args:
            z: latents `[B, D]`.
            label: of a conditional model the classes `[B]`, or one for all; drawn when None.

        Raises:
            ValueError: if there is a label and the model is not conditional, or no such class; or z
                has another shape.
        """
        require_rows("z", z, (self.latent,))
        return self._mean(self._output(z, self.asked(z.shape[0], label)))

    def reconstruct(self, x: Tensor, label: Label = None) -> Tensor:
        """Return x̂ `[B, *shape]` of data `[B, *shape]`, by way of the latent mean.

        Of a conditional model without labels it is that of the class which comes nearest.
        """
        z = self.encode(x)  # [B, D]
        if label is None and self.classes:
            label = self._distances(z, x).argmin(0)  # [B]
        return self.decode(z, label)

    def reconstruction_loss(self, z: Tensor, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Return dist(x, g(z)) `[B]`: −log p(x | z) of Bernoulli pixels, or ‖x − g(z)‖².

        Of a conditional model without labels `[B]` it is that over all classes.
        """
        if self.classes and label is None:
            return self._over_classes(self._distances(z, x))
        return self._distance(self._output(z, label), x)

    def _output(self, z: Tensor, label: Tensor | None) -> Tensor:
        """Return logits or means `[B, *shape]` of latents `[B, D]` and classes `[B]`."""
        return at_least_float32(self.decoder(with_label(z, label, self.classes)))

    def _mean(self, output: Tensor) -> Tensor:
        return output.sigmoid() if self.likelihood == "bernoulli" else output

    def _distance(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the distance `[B]` of data from what the decoder gives."""
        distance = bernoulli_nll if self.likelihood == "bernoulli" else squared_distance
        return distance(output, x)

    def _distances(self, z: Tensor, x: Tensor) -> Tensor:
        """Return the distances `[K, B]` of data from what each class would give."""
        labels = (torch.full((len(z),), k, device=z.device) for k in range(self.classes))
        return torch.stack([self._distance(self._output(z, label), x) for label in labels])

    def _over_classes(self, distances: Tensor) -> Tensor:
        """Return the distance `[B]` where nobody says the class: the least of `[K, B]`."""
        return distances.amin(0)

    def prior(self, n: int) -> Tensor:
        """Draw latents `[n, D]` of N(0, I)."""
        like = next(self.encoder.parameters())
        n = self.many(n)
        return torch.randn(n, self.latent, dtype=like.dtype, device=like.device)

    @torch.no_grad()
    def sample(self, n: int, label: Label = None) -> Tensor:
        """Draw `[n, *shape]`: means of p(x | z) for latents of the prior; pictures in [0, 1].

        Raises:
            ValueError: as `decode`.
        """
        x = self.decode(self.prior(n), label)
        return x.clamp(0.0, 1.0) if self.pictures else x

    @torch.no_grad()
    def validate(self, batch: Batch) -> Metrics:
        """Return the mean of dist(x, x̂) as `loss` and as `reconstruction`."""
        loss = self.reconstruction_loss(self.encode(batch.x), batch.x, self.told(batch)).mean()
        return {"loss": loss, "reconstruction": loss}


def _out_features(encoder: nn.Module) -> int:
    features = getattr(encoder, "out_features", None)
    if not isinstance(features, int):
        raise TypeError(f"encoder is a {type(encoder).__name__}: expected one with out_features")
    return features
