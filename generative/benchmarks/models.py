"""The models whose speed is measured."""

from ..autoencoders.config import VAEConfig
from ..autoencoders.variational import VAE
from ..gans.config import DCGANConfig
from ..gans.minimax import DCGAN
from .peers import BATCH_SIZE


def dense_vae(rows: int, size: int = 28, batch_size: int = BATCH_SIZE) -> VAE:
    """Return a VAE of grey pictures: dense layers of 512 units, 16 latents."""
    config = VAEConfig(encoder="mlp", hidden=(512,), latent=16, batch_size=batch_size)
    return VAE((1, size, size), config, dataset_size=rows)


def conv_vae(
    rows: int, size: int = 64, batch_size: int = BATCH_SIZE, *, compiled: bool = False
) -> VAE:
    """Return a VAE of grey pictures: four 4x4 convolutions of stride 2, 256-256, 10 latents."""
    config = VAEConfig(encoder="conv", latent=10, batch_size=batch_size, compile=compiled)
    return VAE((1, size, size), config, dataset_size=rows)


def dcgan(
    rows: int, size: int = 64, batch_size: int = BATCH_SIZE, *, compiled: bool = False
) -> DCGAN:
    """Return a DCGAN of coloured pictures with 64 base filters."""
    config = DCGANConfig(batch_size=batch_size, compile=compiled)
    return DCGAN((3, size, size), config, dataset_size=rows)
