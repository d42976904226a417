"""The generative models by name, without importing any."""

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import GenerativeModel, ModelConfig


@dataclass(frozen=True)
class Model:
    """Where a generative model lives, and what it is."""

    name: str
    module: str
    model: str
    config: str
    summary: str

    def model_type(self) -> "type[GenerativeModel]":
        """Import and return the model's class."""
        return getattr(import_module(self.module), self.model)

    def config_type(self) -> "type[ModelConfig]":
        """Import and return the class of its settings."""
        return getattr(import_module(self.module), self.config)


_AUTOENCODERS = "generative.autoencoders"
_GANS = "generative.gans"

MODELS = {
    model.name: model
    for model in (
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
    )
}


def find_model(name: str) -> Model:
    """Return the model called `name`.

    Raises:
        ValueError: there is none; the nearest name is suggested.
    """
    if name in MODELS:
        return MODELS[name]
    near = get_close_matches(name.lower().replace("_", "-"), MODELS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(MODELS)}"
    raise ValueError(f"unknown model {name!r}: {hint}")
