"""The generative models by name, without importing any."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nets.catalog import Catalog, Entry

if TYPE_CHECKING:
    from .metrics.measure import Figure
    from .model import GenerativeModel


@dataclass(frozen=True)
class ModelEntry(Entry):
    """A generative model, its settings, and what it is.

    Attributes:
        measured: what measures a run of it, as `module:function`; see `metrics.runs.measure_run`.
    """

    package = "generative"
    measured: str = "generative.metrics.runs:measure_run"

    def model_type(self) -> "type[GenerativeModel]":
        """Import and return the model's class."""
        return self.import_type()

    def measure(self) -> "Callable[..., Iterator[Figure]]":
        """Import and return what measures a run of it."""
        module, _, name = self.measured.partition(":")
        found: Any = getattr(import_module(module), name)
        return found


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
        ModelEntry("dcgan", "DCGAN", "DCGANConfig", "convolutional GAN, for pictures"),
        ModelEntry("wgan-gp", "WGANGP", "WGANGPConfig", "Wasserstein GAN, gradient penalty"),
    ),
    beside=("world",),
)


WORLD = ModelEntry(
    "world",
    "World",
    "WorldConfig",
    "world to dream in, learned of experience",
    measured="generative.dreams.runs:measure_run",
)
"""Not of data sets, and so not among `MODELS`."""


def find_model(name: str) -> ModelEntry:
    """Return the model called `name`, a learned world included.

    Raises:
        ValueError: there is none; the nearest names are suggested.
    """
    return WORLD if name == WORLD.name else MODELS.find(name)
