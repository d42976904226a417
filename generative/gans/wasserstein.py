"""WGAN-GP: a critic that estimates the Wasserstein distance, its slope held near 1."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from nets.layers.upsampling import Upsampling
from nets.settings import Count, NonNegative, Part, Positive

from ..model import Batch, Loss, Metrics
from . import losses as adversarial
from .game import AdversarialConfig, AdversarialModel
from .networks import conv_networks, dense_networks


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
