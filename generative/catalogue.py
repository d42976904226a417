"""The generative models by name, without importing any."""

from typing import TYPE_CHECKING

from nets.catalog import Catalog, Entry

if TYPE_CHECKING:
    from .model import GenerativeModel


class Model(Entry):
    """A generative model, its settings, and what it is."""

    package = "generative"

    def model_type(self) -> "type[GenerativeModel]":
        """Import and return the model's class."""
        return self.import_type()


MODELS = Catalog(
    "model",
    (
        Model("ae", "AE", "AEConfig", "autoencoder"),
        Model("vae", "VAE", "VAEConfig", "variational autoencoder"),
        Model("beta-vae", "BetaVAE", "BetaVAEConfig", "VAE with a weighted KL"),
        Model(
            "beta-tcvae",
            "BetaTCVAE",
            "BetaTCVAEConfig",
            "VAE with a weighted total correlation of its latents",
        ),
        Model(
            "aae",
            "AAE",
            "AAEConfig",
            "autoencoder whose latents deceive a discriminator",
        ),
        Model("gan", "GAN", "GANConfig", "dense generative adversarial network"),
        Model("dcgan", "DCGAN", "DCGANConfig", "convolutional GAN, for square pictures"),
        Model("wgan-gp", "WGANGP", "WGANGPConfig", "Wasserstein GAN, gradient penalty"),
    ),
)


def find_model(name: str) -> Model:
    """Return the model called `name`.

    Raises:
        ValueError: there is none; the nearest names are suggested.
    """
    return MODELS.find(name)
