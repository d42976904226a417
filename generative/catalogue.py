"""The generative models by name, without importing any."""

from typing import TYPE_CHECKING

from nets.catalog import Catalog, Entry

if TYPE_CHECKING:
    from .model import GenerativeModel


class ModelEntry(Entry):
    """A generative model, its settings, and what it is."""

    package = "generative"

    def model_type(self) -> "type[GenerativeModel]":
        """Import and return the model's class."""
        return self.import_type()


MODELS = Catalog(
    "model",
    (
        ModelEntry("ae", "AE", "AEConfig", "autoencoder"),
        ModelEntry("vae", "VAE", "VAEConfig", "variational autoencoder"),
        ModelEntry("beta-vae", "BetaVAE", "BetaVAEConfig", "VAE with a weighted KL"),
        ModelEntry(
            "beta-tcvae",
            "BetaTCVAE",
            "BetaTCVAEConfig",
            "VAE with a weighted total correlation of its latents",
        ),
        ModelEntry("aae", "AAE", "AAEConfig", "autoencoder whose latents deceive a discriminator"),
        ModelEntry("gan", "GAN", "GANConfig", "dense generative adversarial network"),
        ModelEntry("dcgan", "DCGAN", "DCGANConfig", "convolutional GAN, for square pictures"),
        ModelEntry("wgan-gp", "WGANGP", "WGANGPConfig", "Wasserstein GAN, gradient penalty"),
    ),
)


WORLD = ModelEntry("world", "World", "WorldConfig", "world to dream in, learned of experience")
"""Not of data sets, and so not among `MODELS`."""


def find_model(name: str) -> ModelEntry:
    """Return the model called `name`, a learned world included.

    Raises:
        ValueError: there is none; the nearest names are suggested.
    """
    return WORLD if name == WORLD.name else MODELS.find(name)
