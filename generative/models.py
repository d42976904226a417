"""The generative models by name, without importing any."""

from typing import TYPE_CHECKING

from nets.catalog import Catalog, Entry

if TYPE_CHECKING:
    from .model import GenerativeModel


class Model(Entry):
    """Where a generative model lives, and what it is."""

    def model_type(self) -> "type[GenerativeModel]":
        """Import and return the model's class."""
        return self.import_type()


_AUTOENCODERS = "generative.autoencoders"
_GANS = "generative.gans"

MODELS = Catalog(
    "model",
    (
        Model("ae", _AUTOENCODERS, "AE", "AEConfig", "autoencoder"),
        Model("vae", _AUTOENCODERS, "VAE", "VAEConfig", "variational autoencoder"),
        Model("beta-vae", _AUTOENCODERS, "BetaVAE", "BetaVAEConfig", "VAE with a weighted KL"),
        Model(
            "beta-tcvae",
            _AUTOENCODERS,
            "BetaTCVAE",
            "BetaTCVAEConfig",
            "VAE with a weighted total correlation of its latents",
        ),
        Model(
            "aae",
            _AUTOENCODERS,
            "AAE",
            "AAEConfig",
            "autoencoder whose latents deceive a discriminator",
        ),
        Model("gan", _GANS, "GAN", "GANConfig", "dense generative adversarial network"),
        Model("dcgan", _GANS, "DCGAN", "DCGANConfig", "convolutional GAN, for square pictures"),
        Model("wgan-gp", _GANS, "WGANGP", "WGANGPConfig", "Wasserstein GAN, gradient penalty"),
    ),
)


def find_model(name: str) -> Model:
    """Return the model called `name`.

    Raises:
        ValueError: there is none; the nearest names are suggested.
    """
    return MODELS.find(name)
