"""Generative adversarial networks: two players against each other.

The discriminator learns to tell data from samples, the generator to make samples that it takes for
data. `GAN` is dense, `DCGAN` convolutional, `WGANGP` plays for the Wasserstein distance.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from nets.settings import Count, NonNegative, Part, Positive
from nets.upsampling import Upsampling

from . import adversarial
from .adversarial_model import AdversarialConfig, AdversarialModel
from .gan_networks import (
    conv_discriminator,
    conv_generator,
    dcgan_init_,
    mlp_discriminator,
    mlp_generator,
)
from .model import Batch, Loss, Metrics

GENERATOR_LOSSES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "non_saturating": adversarial.non_saturating_loss,
    "saturating": adversarial.saturating_loss,
}


@dataclass(frozen=True)
class MinimaxConfig(AdversarialConfig):
    """Settings of a discriminator that gives probabilities, and of its opponent."""

    generator_loss: Literal["non_saturating", "saturating"] = "non_saturating"
    """−E log D(G(z)), or E log(1 − D(G(z))), which has no slope where D is sure."""
    label_smoothing: Part = 0.0
    """ε: data are labelled 1 − ε, samples 0."""


@dataclass(frozen=True)
class GANConfig(MinimaxConfig):
    """Settings of `GAN`."""

    batch_size: Count = 256
    betas: tuple[Part, Part] = (0.5, 0.999)
    ema_decay: Part = 0.998
    hidden: tuple[Count, ...] = (128, 128)
    """Sizes of the dense layers of either player."""


@dataclass(frozen=True)
class DCGANConfig(MinimaxConfig):
    """Settings of `DCGAN`; the defaults are the paper's."""

    batch_size: Count = 128
    learning_rate: Positive = 2e-4
    betas: tuple[Part, Part] = (0.5, 0.999)
    latent: Count = 100
    base_filters: Count = 64
    """Filters at half the picture's size; each halving doubles them."""
    upsampling: Upsampling = "transpose"
    """Transposed convolution, or `"nearest"` or `"bilinear"` resizing before a convolution."""


@dataclass(frozen=True)
class WGANGPConfig(AdversarialConfig):
    """Settings of `WGANGP`."""

    learning_rate: Positive = 1e-4
    betas: tuple[Part, Part] = (0.0, 0.9)
    discriminator_steps: Count = 5
    penalty: NonNegative = 10.0
    """λ, the weight of the gradient penalty."""
    hidden: tuple[Count, ...] = (128, 128)
    """Sizes of the dense layers of either player, for vectors."""
    base_filters: Count = 64
    """Filters at half the picture's size, for pictures; each halving doubles them."""
    upsampling: Upsampling = "transpose"
    """Transposed convolution, or `"nearest"` or `"bilinear"` resizing before a convolution."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        super().__post_init__()
        if self.compile:
            raise ValueError("compile: torch.compile cannot differentiate a gradient penalty")


class GAN(AdversarialModel):
    """Dense generator and discriminator of vectors or small pictures, Goodfellow et al. (2014).

    The discriminator lowers −E log D(x) − E log(1 − D(G(z))), the generator −E log D(G(z)), or
    E log(1 − D(G(z))) if it is to saturate. SPEC G-GAN-01 to G-GAN-04.
    """

    name = "gan"
    config_type: ClassVar[type[MinimaxConfig]] = GANConfig

    def networks(self, in_features: int) -> tuple[nn.Module, nn.Module]:
        """Build the generator, of noise and class `[B, in_features]`, and the discriminator."""
        return dense_networks(self, in_features)

    def discriminator_step(self, batch: Batch) -> Loss:
        """Return −E[log D(x)] − E[log(1 − D(G(z)))], G held fixed, SPEC G-GAN-03.

        Data and samples pass one after the other: batch norm must not let them tell each other.
        """
        x, label = self.real(batch)
        with torch.no_grad():
            samples = self.generate(len(x), label)
        real, fake = self.judge(x, label), self.judge(samples, label)  # [B], [B]
        loss = adversarial.discriminator_loss(real, fake, self.config.label_smoothing)
        metrics = {
            "real_probability": real.detach().sigmoid().mean(),
            "fake_probability": fake.detach().sigmoid().mean(),
        }
        return Loss(loss, metrics)

    def generator_step(self, batch: Batch) -> Loss:
        """Return −E[log D(G(z))], or E[log(1 − D(G(z)))], D held fixed, SPEC G-GAN-02."""
        x, label = self.real(batch)
        fake = self.judge(self.generate(len(x), label), label)  # [B]
        loss = GENERATOR_LOSSES[self.config.generator_loss](fake)
        return Loss(loss, {})


class DCGAN(GAN):
    """Convolutional GAN of square pictures, Radford, Metz & Chintala (2016), SPEC G-GAN-05.

    Raises:
        ValueError: if the pictures are not square, or no power of two from 8 pixels on.
    """

    name = "dcgan"
    config_type = DCGANConfig
    convolutional = True

    def networks(self, in_features: int) -> tuple[nn.Module, nn.Module]:
        """Build the generator, of noise and class `[B, in_features]`, and the discriminator."""
        return conv_networks(self, in_features, norm="batch")


class WGANGP(AdversarialModel):
    """Wasserstein GAN with gradient penalty, Gulrajani et al. (2017), SPEC G-GAN-08.

    The critic lowers E D(G(z)) − E D(x) + λ E(‖∇D(x̂)‖₂ − 1)², the generator −E D(G(z)). Networks
    are dense for vectors and convolutional for pictures. The critic has no batch norm, which would
    make its slope at one datum a matter of the others.

    Raises:
        ValueError: if the pictures are not square, or no power of two from 8 pixels on.
    """

    name = "wgan-gp"
    config_type = WGANGPConfig

    @property
    def convolutional(self) -> bool:
        """Whether the networks take pictures as they are."""
        return len(self.shape) == 3

    def networks(self, in_features: int) -> tuple[nn.Module, nn.Module]:
        """Build the generator, of noise and class `[B, in_features]`, and the critic."""
        if self.convolutional:
            return conv_networks(self, in_features, norm=None)
        return dense_networks(self, in_features)

    def discriminator_step(self, batch: Batch) -> Loss:
        """Return E[D(G(z))] − E[D(x)] + λ E[(‖∇D(x̂)‖₂ − 1)²], G held fixed."""
        x, label = self.real(batch)
        with torch.no_grad():
            samples = self.generate(len(x), label)
        loss = adversarial.critic_loss(self.judge(x, label), self.judge(samples, label))
        critic = partial(self.judge, label=label)
        penalty = adversarial.gradient_penalty(critic, x, samples.to(x.dtype))
        metrics = {"wasserstein": -loss.detach(), "gradient_penalty": penalty.detach()}
        return Loss(loss + self.config.penalty * penalty, metrics)

    def generator_step(self, batch: Batch) -> Loss:
        """Return −E[D(G(z))], D held fixed."""
        x, label = self.real(batch)
        fake = self.judge(self.generate(len(x), label), label)  # [B]
        loss = adversarial.wasserstein_generator_loss(fake)
        return Loss(loss, {})

    @torch.no_grad()
    def validate(self, batch: Batch) -> Metrics:
        """Measure `wasserstein`, E D(x) − E D(G(z)), on held-out data.

        Less than on training data says that the critic knows its training data by heart.
        """
        x, label = self.real(batch)
        samples = self.generate(len(x), label)
        loss = adversarial.critic_loss(self.judge(x, label), self.judge(samples, label))
        return {"wasserstein": -loss}


def dense_networks(model: AdversarialModel, in_features: int) -> tuple[nn.Module, nn.Module]:
    """Build the dense generator and discriminator of `model`."""
    features, hidden = math.prod(model.shape), model.config.hidden
    generator = mlp_generator(in_features, hidden, features, bounded=len(model.shape) == 3)
    return generator, mlp_discriminator(features + model.classes, hidden)


def conv_networks(
    model: AdversarialModel, in_features: int, *, norm: str | None
) -> tuple[nn.Module, nn.Module]:
    """Build the convolutional generator and discriminator of `model`."""
    if len(model.shape) != 3:
        raise ValueError(f"{model.name} makes pictures: data of shape {model.shape} are none")
    config: Any = model.config
    generator = conv_generator(in_features, model.shape, config.base_filters, config.upsampling)
    discriminator = conv_discriminator(
        model.shape, config.base_filters, norm=norm, extra_channels=model.classes
    )
    dcgan_init_(generator)
    dcgan_init_(discriminator)
    return generator, discriminator
