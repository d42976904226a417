"""What all autoencoders share: networks, likelihood, encoding, decoding, sampling."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nets.classic import CLASSIC
from nets.decoders import ConvDecoder, ConvEncoder, ImageShape, MLPDecoder, MLPEncoder
from nets.encoders import ENCODERS, image_encoder
from nets.registry import Registry

from . import losses
from .autoencoder_config import AutoencoderConfig
from .model import Batch, GenerativeModel, Metrics


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


def build_encoder(shape: tuple[int, ...], config: AutoencoderConfig) -> nn.Module:
    """Build the encoder that `config` names for data of `shape`."""
    image = _image_shape(shape, config)
    if image and _ENCODERS[config.encoder] == "other":
        return image_encoder(image, config.encoder)
    if image and _mirrored(image, config):
        return ConvEncoder(image, config.channels, config.hidden, **_options(config))
    return MLPEncoder(shape, config.hidden, activation=config.activation)


def build_decoder(shape: tuple[int, ...], config: AutoencoderConfig) -> nn.Module:
    """Build the mirror of `build_encoder`; of an encoder that agents have, that of `auto`."""
    image = _image_shape(shape, config)
    if image and _mirrored(image, config):
        return ConvDecoder(config.latent, image, config.channels, config.hidden, **_options(config))
    return MLPDecoder(config.latent, shape, config.hidden, activation=config.activation)


_ENCODERS = Registry(
    "encoder",
    {"auto": "fitting", "mlp": "dense", "conv": "conv", "resnet": "conv"}
    | dict.fromkeys((*ENCODERS, *CLASSIC), "other"),
)
"""What kind each encoder is, by name."""


def _image_shape(shape: tuple[int, ...], config: AutoencoderConfig) -> ImageShape | None:
    """Return (C, H, W) of pictures; None where they are nothing but numbers to the networks."""
    kind = _ENCODERS[config.encoder]
    if kind == "dense" or (kind == "fitting" and len(shape) != 3):
        return None
    if len(shape) != 3:
        raise ValueError(f"encoder is {config.encoder!r}: data of shape {shape} are no pictures")
    channels, height, width = shape
    return channels, height, width


def _mirrored(image: ImageShape, config: AutoencoderConfig) -> bool:
    """Whether convolutions can halve the pictures, or have to."""
    fits = min(image[1:]) >= 2 ** len(config.channels)
    return fits or _ENCODERS[config.encoder] == "conv"


def _options(config: AutoencoderConfig) -> dict[str, Any]:
    return {"activation": config.activation, "residual": int(config.encoder == "resnet")}


def _out_features(encoder: nn.Module) -> int:
    features = getattr(encoder, "out_features", None)
    if not isinstance(features, int):
        raise TypeError(f"encoder is a {type(encoder).__name__}: expected one with out_features")
    return features
