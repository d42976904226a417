"""WGAN-GP: a critic that estimates the Wasserstein distance, its slope held near 1."""

from functools import partial

import torch

from ..model import Batch, Loss, Metrics
from .config import WGANGPConfig
from .game import AdversarialModel
from .losses import critic_loss, gradient_penalty, wasserstein_generator_loss
from .networks import Networks, Sizes, conv_networks, dense_networks


class WGANGP(AdversarialModel[WGANGPConfig]):
    """Wasserstein GAN with gradient penalty, Gulrajani et al. (2017), curriculum G-GAN-08.

    The critic lowers E D(G(z)) − E D(x) + λ E(‖∇D(x̂)‖₂ − 1)², the generator −E D(G(z)). Networks
    are dense for vectors and convolutional for pictures. The critic has no batch norm, which would
    make its slope at one datum a matter of the others.

    Raises:
        ValueError: if a side of the pictures is shorter than 4 pixels.
    """

    name = "wgan-gp"
    config_type = WGANGPConfig

    def build_networks(self, sizes: Sizes) -> Networks:
        """Build convolutions without norm in the critic for pictures, dense layers for vectors."""
        c = self.config
        if len(sizes.shape) == 3:
            return conv_networks(sizes, c.base_filters, c.upsampling, norm=None)
        return dense_networks(sizes, c.hidden)

    @property
    def convolutional(self) -> bool:
        """Whether the networks take pictures as they are."""
        return len(self.shape) == 3

    def discriminator_step(self, batch: Batch) -> Loss:
        """Return E[D(G(z))] − E[D(x)] + λ E[(‖∇D(x̂)‖₂ − 1)²], G held fixed."""
        x, label = self.real(batch)
        with torch.no_grad():
            samples = self.generate(len(x), label)
        real, fake = self.judge(x, label), self.judge(samples, label)  # [B], [B]
        loss = critic_loss(real, fake)
        critic = partial(self.judge, label=label)
        penalty = gradient_penalty(critic, x, samples.to(x.dtype))
        metrics = {"wasserstein": -loss.detach(), "gradient_penalty": penalty.detach()}
        return Loss(loss + self.config.penalty * penalty, metrics)

    def generator_step(self, batch: Batch) -> Loss:
        """Return −E[D(G(z))], D held fixed."""
        x, label = self.real(batch)
        fake = self.judge(self.generate(len(x), label), label)  # [B]
        return Loss(wasserstein_generator_loss(fake), {})

    @torch.no_grad()
    def validate(self, batch: Batch) -> Metrics:
        """Measure `wasserstein`, E D(x) − E D(G(z)), on held-out data.

        Less than on training data says that the critic knows its training data by heart.
        """
        x, label = self.real(batch)
        samples = self.generate(len(x), label)
        return {"wasserstein": -critic_loss(self.judge(x, label), self.judge(samples, label))}
