"""Settings of the adversarial models."""

from dataclasses import dataclass
from typing import Literal

from nets.kinds import (
    Capacity,
    Count,
    NonNegative,
    Part,
    Schedule,
    Size,
    Upsampling,
    changing,
)

from ..config import ModelConfig


@dataclass(frozen=True)
class AdversarialConfig(ModelConfig):
    """Settings that all adversarial models share."""

    latent: Size = 16
    """Size of the noise."""
    prior: Literal["normal", "uniform"] = "normal"
    """Of the noise: N(0, I), or uniform on [−1, 1] in every dimension."""
    discriminator_steps: Count = 1
    """Steps of the discriminator before each step of the generator, k."""
    spectral_norm: bool = False
    """Whether the discriminator's weights are divided by their largest singular value."""
    conditional: bool = False
    """Whether both players are told the class."""


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

    batch_size: Capacity = 256
    betas: tuple[Part, Part] = (0.5, 0.999)
    ema_decay: Part = 0.998
    hidden: tuple[Size, ...] = (128, 128)
    """Sizes of the dense layers of either player."""


@dataclass(frozen=True)
class DCGANConfig(MinimaxConfig):
    """Settings of `DCGAN`; the defaults are the paper's."""

    batch_size: Capacity = 128
    learning_rate: Schedule = changing(2e-4)
    betas: tuple[Part, Part] = (0.5, 0.999)
    latent: Size = 100
    base_filters: Size = 64
    """Filters at half the picture's size; each halving doubles them."""
    upsampling: Upsampling = "transpose"
    """Transposed convolution, or `"nearest"` or `"bilinear"` resizing before a convolution."""


@dataclass(frozen=True)
class WGANGPConfig(AdversarialConfig):
    """Settings of `WGANGP`."""

    learning_rate: Schedule = changing(1e-4)
    betas: tuple[Part, Part] = (0.0, 0.9)
    discriminator_steps: Count = 5
    penalty: NonNegative = 10.0
    """λ, the weight of the gradient penalty."""
    hidden: tuple[Size, ...] = (128, 128)
    """Sizes of the dense layers of either player, for vectors."""
    base_filters: Size = 64
    """Filters at half the picture's size, for pictures; each halving doubles them."""
    upsampling: Upsampling = "transpose"
    """Transposed convolution, or `"nearest"` or `"bilinear"` resizing before a convolution."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        super().__post_init__()
        if self.compile:
            raise ValueError("compile: torch.compile cannot differentiate a gradient penalty")
