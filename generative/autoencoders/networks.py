"""Encoders and decoders of autoencoders, by name."""

from typing import Any

from torch import nn

from nets.networks.classic import CLASSIC
from nets.networks.decoders import ConvDecoder, ConvEncoder, ImageShape, MLPDecoder, MLPEncoder
from nets.networks.encoders import ENCODERS, image_encoder
from nets.registry import Registry

from .config import AutoencoderConfig


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
