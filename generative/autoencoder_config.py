"""Settings of the autoencoders."""

from dataclasses import dataclass
from typing import Literal

from .losses import Estimator
from .model import ModelConfig

ENCODERS = ("auto", "mlp", "conv", "resnet")
LIKELIHOODS = ("auto", "bernoulli", "gaussian")
ESTIMATORS = ("stratified", "weighted")


@dataclass(frozen=True)
class AutoencoderConfig(ModelConfig):
    """Settings that all autoencoders share."""

    encoder: Literal["auto", "mlp", "conv", "resnet"] = "auto"
    """The decoder mirrors it. auto: `conv` for pictures large enough for `channels`, else `mlp`."""
    latent: int = 10
    """Number of latents, D."""
    hidden: tuple[int, ...] = (256, 256)
    """Sizes of the dense layers between the data, or the convolutions, and the latents."""
    channels: tuple[int, ...] = (32, 32, 32, 32)
    """Channels of the convolutions, each of which halves the picture."""
    activation: str = "relu"
    """Activation of all hidden layers."""
    likelihood: Literal["auto", "bernoulli", "gaussian"] = "auto"
    """p(x | z). auto: bernoulli for pictures, gaussian for vectors."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        super().__post_init__()
        if self.latent < 1:
            raise ValueError(f"latent is {self.latent}: expected at least 1")
        self._check_known("encoder", ENCODERS)
        self._check_known("likelihood", LIKELIHOODS)

    def _check_known(self, name: str, known: tuple[str, ...]) -> None:
        if getattr(self, name) not in known:
            expected = ", ".join(map(repr, known))
            raise ValueError(f"{name} is {getattr(self, name)!r}: expected one of {expected}")

    def _check_not_negative(self, *names: str) -> None:
        for name in names:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: expected at least 0")


@dataclass(frozen=True)
class AEConfig(AutoencoderConfig):
    """Settings of `AE`."""


@dataclass(frozen=True)
class AAEConfig(AutoencoderConfig):
    """Settings of `AAE`."""

    betas: tuple[float, float] = (0.5, 0.9)
    """Decay of Adam's moments; short, as the players chase each other."""
    discriminator_hidden: tuple[int, ...] = (256, 256)
    """Sizes of the dense layers of the discriminator of latents."""


@dataclass(frozen=True)
class VariationalConfig(AutoencoderConfig):
    """Settings that the variational autoencoders share."""

    scale: float = 1.0
    """σ of a Gaussian likelihood, at the start if it is learned."""
    learn_scale: bool = True
    """Whether that σ is learned: one for pictures, one per dimension for vectors."""
    kl_warmup_steps: int = 0
    """Steps over which the weight of what regularises the latents rises from 0."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        super().__post_init__()
        if self.scale <= 0.0:
            raise ValueError(f"scale is {self.scale}: expected more than 0")
        self._check_not_negative("kl_warmup_steps")


@dataclass(frozen=True)
class VAEConfig(VariationalConfig):
    """Settings of `VAE`."""


@dataclass(frozen=True)
class BetaVAEConfig(VariationalConfig):
    """Settings of `BetaVAE`."""

    beta: float = 4.0
    """Weight of the KL; 1 makes a VAE."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        super().__post_init__()
        self._check_not_negative("beta")


@dataclass(frozen=True)
class BetaTCVAEConfig(VariationalConfig):
    """Settings of `BetaTCVAE`."""

    alpha: float = 1.0
    """Weight of the mutual information of latents and data."""
    beta: float = 6.0
    """Weight of the total correlation of the latents."""
    gamma: float = 1.0
    """Weight of the dimension-wise KL."""
    estimator: Estimator = "stratified"
    """How a batch stands for the data: minibatch stratified or weighted sampling."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        super().__post_init__()
        self._check_not_negative("alpha", "beta", "gamma")
        self._check_known("estimator", ESTIMATORS)
        if self.batch_size < 2:
            raise ValueError("batch_size is 1: expected at least 2, to estimate total correlation")
