"""GAN and DCGAN: a discriminator that gives the probability of being data, and its opponent.

The discriminator learns to tell data from samples, the generator to make samples that it takes for
data. `GAN` is dense, `DCGAN` convolutional.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor

from ..model import Batch, Loss
from .config import DCGANConfig, GANConfig, MinimaxConfig
from .game import AdversarialModel
from .losses import discriminator_loss, non_saturating_loss, saturating_loss
from .networks import Networks, Sizes, conv_networks, dense_networks

GENERATOR_LOSSES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "non_saturating": non_saturating_loss,
    "saturating": saturating_loss,
}


ConfigT = TypeVar("ConfigT", bound=MinimaxConfig)


class Minimax(AdversarialModel[ConfigT]):
    """The game of Goodfellow et al. (2014), over networks that subclasses build.

    The discriminator lowers −E log D(x) − E log(1 − D(G(z))), the generator −E log D(G(z)), or
    E log(1 − D(G(z))) if it is to saturate. Curriculum G-GAN-01 to G-GAN-04.
    """

    def discriminator_step(self, batch: Batch) -> Loss:
        """Return −E[log D(x)] − E[log(1 − D(G(z)))], G held fixed, curriculum G-GAN-03.

        Data and samples pass one after the other: batch norm must not let them tell each other.
        """
        x, label = self.real(batch)
        with torch.no_grad():
            samples = self.generate(len(x), label)
        real, fake = self.judge(x, label), self.judge(samples, label)  # [B], [B]
        loss = discriminator_loss(real, fake, self.config.label_smoothing)
        metrics = {
            "real_probability": real.detach().sigmoid().mean(),
            "fake_probability": fake.detach().sigmoid().mean(),
        }
        return Loss(loss, metrics)

    def generator_step(self, batch: Batch) -> Loss:
        """Return −E[log D(G(z))], or E[log(1 − D(G(z)))], D held fixed, curriculum G-GAN-02."""
        x, label = self.real(batch)
        fake = self.judge(self.generate(len(x), label), label)  # [B]
        loss = GENERATOR_LOSSES[self.config.generator_loss](fake)
        return Loss(loss, {})


class GAN(Minimax[GANConfig]):
    """Dense generator and discriminator of vectors or small pictures."""

    name = "gan"
    config_type = GANConfig

    def build_networks(self, sizes: Sizes) -> Networks:
        """Build dense layers."""
        return dense_networks(sizes, self.config.hidden)


class DCGAN(Minimax[DCGANConfig]):
    """Convolutional GAN of pictures, Radford, Metz & Chintala (2016), curriculum G-GAN-05.

    Raises:
        ValueError: if the data are no pictures, or a side is shorter than 4 pixels.
    """

    name = "dcgan"
    config_type = DCGANConfig
    convolutional = True

    def build_networks(self, sizes: Sizes) -> Networks:
        """Build convolutions with batch norm."""
        if len(sizes.shape) != 3:
            raise ValueError(f"{self.name} makes pictures: data of shape {sizes.shape} are none")
        return conv_networks(sizes, self.config.base_filters, self.config.upsampling)
