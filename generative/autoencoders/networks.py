"""Encoders and decoders of autoencoders, by name."""

from typing import Any

from torch import nn

from nets.networks.classic import CLASSIC
from nets.networks.decoders import ConvDecoder, ConvEncoder, ImageShape, MLPDecoder, MLPEncoder
from nets.networks.encoders import ENCODERS, image_encoder
from nets.registry import Registry

from .config import AutoencoderConfig

KINDS = Registry(
    "encoder",
    {"auto": "fitting", "mlp": "dense", "conv": "convolutional", "resnet": "convolutional"}
    | dict.fromkeys((*ENCODERS, *CLASSIC), "of agents"),
)
"""What kind each encoder is, by name."""


def build_encoder(shape: tuple[int, ...], config: AutoencoderConfig) -> nn.Module:
    """Build the encoder that `config` names for data of `shape`."""
    image = _image_shape(shape, config)
    if image and KINDS[config.encoder] == "of agents":
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


def _image_shape(shape: tuple[int, ...], config: AutoencoderConfig) -> ImageShape | None:
    """Return (C, H, W) of pictures; None where they are nothing but numbers to the networks."""
    kind = KINDS[config.encoder]
    if kind == "dense" or (kind == "fitting" and len(shape) != 3):
        return None
    if len(shape) != 3:
        raise ValueError(f"encoder is {config.encoder!r}: data of shape {shape} are no pictures")
    channels, height, width = shape
    return channels, height, width


def _mirrored(image: ImageShape, config: AutoencoderConfig) -> bool:
    """Whether convolutions can halve the pictures, or have to."""
    fits = min(image[1:]) >= 2 ** len(config.channels)
    return fits or KINDS[config.encoder] == "convolutional"


def _options(config: AutoencoderConfig) -> dict[str, Any]:
    return {"activation": config.activation, "residual": int(config.encoder == "resnet")}
