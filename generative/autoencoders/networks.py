"""Encoders and decoders of autoencoders, by name."""

import math
from collections.abc import Callable
from typing import Any, TypeGuard

import torch
from torch import nn

from nets.gradients.modes import evaluation_mode
from nets.networks.classic import CLASSIC
from nets.networks.decoders import ConvDecoder, ConvEncoder, ImageShape, MLPDecoder, MLPEncoder
from nets.networks.encoders import ENCODERS, image_encoder
from nets.networks.own import OwnNetwork, try_out
from nets.registry import Registry

from .config import AutoencoderConfig

KINDS = Registry(
    "encoder",
    {"auto": "fitting", "mlp": "dense", "conv": "convolutional", "resnet": "convolutional"}
    | dict.fromkeys((*ENCODERS, *CLASSIC), "of agents"),
)
"""What kind each encoder is, by name."""
DECODERS = Registry("decoder", {"auto": "the encoder's mirror"})
SAMPLES, CPU = 3, torch.device("cpu")


def build_encoder(shape: tuple[int, ...], config: AutoencoderConfig) -> tuple[nn.Module, int]:
    """Return the encoder that `config` names for data of `shape`, and how many features it gives.

    An encoder of one's own is called with the shape, or with how many numbers a datum has where its
    first parameter is `in_features`, and maps data `[B, *shape]` to features float32 `[B, F]`.

    Raises:
        ValueError: the data do not suit it, or it cannot be made or run.
        TypeError: it is no module, or takes something else.
    """
    if not _is_name(config.encoder):
        own = OwnNetwork("encoder", config.encoder)
        flat = own.first == "in_features"
        encoder = own.make(math.prod(shape) if flat else shape)
        encoder = nn.Sequential(nn.Flatten(), encoder) if flat else encoder
        with evaluation_mode(encoder):
            return encoder, try_out(encoder, torch.rand(SAMPLES, *shape), SAMPLES, own.name, CPU)
    encoder = _build_encoder(shape, config)
    return encoder, int(encoder.out_features)  # type: ignore[arg-type]


def build_decoder(shape: tuple[int, ...], config: AutoencoderConfig, latent: int) -> nn.Module:
    """Build the mirror of `build_encoder`; of an encoder that is not ours, that of `auto`.

    A decoder of one's own is called with the number of latents D and the shape, and maps latents
    `[B, D]` to logits or means `[B, *shape]`.

    Args:
        shape: of a datum.
        config: says which.
        latent: D; the class comes to a conditional model's decoder as K further latents.

    Raises:
        ValueError: there is no such decoder, or it cannot be made or run.
        TypeError: it is no module, or takes something else.
    """
    if not _is_name(config.decoder):
        own = OwnNetwork("decoder", config.decoder)
        decoder = own.make(latent, shape)
        with evaluation_mode(decoder):
            latents = torch.zeros(SAMPLES, latent)
            try_out(decoder, latents, SAMPLES, own.name, CPU, shape)
        return decoder
    DECODERS.canonical(config.decoder)
    image = _image_shape(shape, config)
    if image and _mirrored(image, config):
        return ConvDecoder(latent, image, config.channels, config.hidden, **_options(config))
    return MLPDecoder(latent, shape, config.hidden, activation=config.activation)


def _build_encoder(shape: tuple[int, ...], config: AutoencoderConfig) -> nn.Module:
    image = _image_shape(shape, config)
    if image and _is_name(config.encoder) and _kind(config) == "of agents":
        return image_encoder(image, config.encoder)
    if image and _mirrored(image, config):
        return ConvEncoder(image, config.channels, config.hidden, **_options(config))
    return MLPEncoder(shape, config.hidden, activation=config.activation)


def _is_name(network: str | Callable[..., Any]) -> TypeGuard[str]:
    """Whether a network is one of ours, by name."""
    return isinstance(network, str) and ":" not in network


def _kind(config: AutoencoderConfig) -> str:
    return KINDS[config.encoder] if _is_name(config.encoder) else "fitting"


def _image_shape(shape: tuple[int, ...], config: AutoencoderConfig) -> ImageShape | None:
    """Return (C, H, W) of pictures; None where they are nothing but numbers to the networks."""
    kind = _kind(config)
    if kind == "dense" or (kind == "fitting" and len(shape) != 3):
        return None
    if len(shape) != 3:
        raise ValueError(f"encoder is {config.encoder!r}: data of shape {shape} are no pictures")
    channels, height, width = shape
    return channels, height, width


def _mirrored(image: ImageShape, config: AutoencoderConfig) -> bool:
    """Whether convolutions can halve the pictures, or have to."""
    fits = min(image[1:]) >= 2 ** len(config.channels)
    return fits or _kind(config) == "convolutional"


def _options(config: AutoencoderConfig) -> dict[str, Any]:
    return {"activation": config.activation, "residual": int(config.encoder == "resnet")}
