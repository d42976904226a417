"""Settings of the autoencoders."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from nets.kinds import Network, NonNegative, Part, Positive, Size, Whole

from ..config import ModelConfig

Estimator: TypeAlias = Literal["stratified", "weighted"]


@dataclass(frozen=True)
class AutoencoderConfig(ModelConfig):
    """Settings that all autoencoders share."""

    encoder: Network = "auto"
    """mlp, conv or resnet, which the decoder mirrors; auto: conv for pictures large enough for
    `channels`, else mlp; one that agents have: nature, impala, small-cnn, resnet-18, ...; or one of
    your own, MODULE:NAME, in Python also the thing itself."""
    decoder: Network = "auto"
    """One of your own, MODULE:NAME, in Python also the thing itself; auto: the encoder's mirror."""
    latent: Size | None = None
    """Number of latents, D; by default 10, of a table as many as its columns have in common."""
    hidden: tuple[Size, ...] = (256, 256)
    """Sizes of the dense layers between the data, or the convolutions, and the latents."""
    channels: tuple[Size, ...] = (32, 32, 32, 32)
    """Channels of the convolutions, each of which halves the picture."""
    activation: str = "relu"
    """Activation of all hidden layers."""
    likelihood: Literal["auto", "bernoulli", "gaussian"] = "auto"
    """p(x | z). auto: bernoulli for pictures, gaussian for vectors."""


@dataclass(frozen=True)
class AEConfig(AutoencoderConfig):
    """Settings of `AE`."""


@dataclass(frozen=True)
class AAEConfig(AutoencoderConfig):
    """Settings of `AAE`."""

    conditional: bool = False
    """Whether the decoder is told the class, so that samples can be asked for by it."""
    betas: tuple[Part, Part] = (0.5, 0.9)
    """Decay of Adam's moments; short, as the players chase each other."""
    discriminator_hidden: tuple[Size, ...] = (256, 256)
    """Sizes of the dense layers of the discriminator of latents."""


@dataclass(frozen=True)
class VariationalConfig(AutoencoderConfig):
    """Settings that the variational autoencoders share."""

    conditional: bool = False
    """Whether the decoder is told the class, so that samples can be asked for by it."""
    scale: Positive = 1.0
    """σ of a Gaussian likelihood, at the start if it is learned."""
    learn_scale: bool = True
    """Whether that σ is learned: one for pictures, one per dimension for vectors."""
    kl_warmup_steps: Whole = 0
    """Steps over which the weight of what regularises the latents rises from 0."""


@dataclass(frozen=True)
class VAEConfig(VariationalConfig):
    """Settings of `VAE`."""

    free_nats: NonNegative = 0.0
    """KL of each latent, on average over a batch, below which it is not lowered."""


@dataclass(frozen=True)
class BetaVAEConfig(VAEConfig):
    """Settings of `BetaVAE`."""

    beta: NonNegative = 4.0
    """Weight of the KL; 1 makes a VAE."""


@dataclass(frozen=True)
class BetaTCVAEConfig(VariationalConfig):
    """Settings of `BetaTCVAE`."""

    alpha: NonNegative = 1.0
    """Weight of the mutual information of latents and data."""
    beta: NonNegative = 6.0
    """Weight of the total correlation of the latents."""
    gamma: NonNegative = 1.0
    """Weight of the dimension-wise KL."""
    estimator: Estimator = "stratified"
    """How a batch stands for the data: minibatch stratified or weighted sampling."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        super().__post_init__()
        if self.batch_size < 2:
            raise ValueError("batch_size is 1: expected at least 2, to estimate total correlation")
