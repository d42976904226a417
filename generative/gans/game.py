"""The game of an adversarial model: a generator and a discriminator, who take turns."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, Unpack

import torch
from torch import Tensor, nn

from nets.layers.precision import at_least_float32

from ..classes import Label, require_rows
from ..model import Batch, GenerativeModel, Loss, ModelOptions, Player
from .config import AdversarialConfig
from .networks import Networks, Sizes, spectral_norm_, with_label

ConfigT = TypeVar("ConfigT", bound=AdversarialConfig)


class AdversarialModel(GenerativeModel[ConfigT]):
    """A generator against a discriminator; subclasses build both and say what they lower.

    Inside, pictures are in [−1, 1], and flat where the networks are dense.

    Raises:
        ValueError: if the model is conditional and the data have no classes.
    """

    generator: nn.Module
    discriminator: nn.Module

    def __init__(
        self,
        shape: Sequence[int],
        config: ConfigT | None = None,
        **options: Unpack[ModelOptions],
    ) -> None:
        super().__init__(shape, config, **options)
        if self.config.conditional:
            self.tell_classes()
        sizes = Sizes(self.config.latent, self.shape, self.classes)
        self.generator, self.discriminator = self.build_networks(sizes)
        if self.config.spectral_norm:
            spectral_norm_(self.discriminator)

    @abstractmethod
    def build_networks(self, sizes: Sizes) -> Networks:
        """Build generator and discriminator."""

    @property
    def convolutional(self) -> bool:
        """Whether the networks take pictures as they are."""
        return False

    def players(self) -> Sequence[Player]:
        """Return the discriminator, k steps a turn, and then the generator, curriculum G-GAN-04."""
        k = self.config.discriminator_steps
        return (
            Player("discriminator", self.discriminator, self.discriminator_step, k),
            Player("generator", self.generator, self.generator_step),
        )

    @abstractmethod
    def discriminator_step(self, batch: Batch) -> Loss:
        """Return what the discriminator lowers; the generator is held fixed."""

    @abstractmethod
    def generator_step(self, batch: Batch) -> Loss:
        """Return what the generator lowers; the discriminator is held fixed."""

    def real(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Return a batch as the discriminator sees it, and its classes if they count."""
        label = self.told(batch)
        x = batch.x * 2.0 - 1.0 if len(self.shape) == 3 else batch.x
        return (x if self.convolutional else x.flatten(1)), label

    def generate(self, n: int, label: Tensor | None) -> Tensor:
        """Return G(z) for z ~ N(0, I), `[n, ...]`, as the discriminator sees it."""
        return self.generator(with_label(self.prior(n), label, self.classes))

    def judge(self, x: Tensor, label: Tensor | None) -> Tensor:
        """Return the discriminator's logits or scores `[B]` of data or samples `[B, ...]`."""
        return at_least_float32(self.discriminator(with_label(x, label, self.classes)))

    def prior(self, n: int) -> Tensor:
        """Draw latents `[n, D]` of N(0, I), or of U[−1, 1]ᴰ."""
        n = self.many(n)
        if self.config.prior == "uniform":
            return 2.0 * torch.rand(n, self.config.latent, device=self.device) - 1.0
        return torch.randn(n, self.config.latent, device=self.device)

    @torch.no_grad()
    def decode(self, z: Tensor, label: Label = None) -> Tensor:
        """Return the samples `[n, *shape]` of latents; a conditional model draws missing classes.

        Batch norm uses its running statistics, so that samples do not depend on each other.

        Args:
            z: latents `[n, D]`.
            label: classes `[n]`, or one for all.

        Raises:
            ValueError: if there is a label and the model is not conditional, or no such class; or z
                has another shape.
        """
        require_rows("z", z, (self.config.latent,))
        label = self.asked(z.shape[0], label)
        training = self.generator.training
        self.generator.eval()
        try:
            x = at_least_float32(self.generator(with_label(z, label, self.classes)))
        finally:
            self.generator.train(training)
        x = x.view(-1, *self.shape)
        return x.add(1.0).mul(0.5) if len(self.shape) == 3 else x

    def sample(self, n: int, label: Label = None) -> Tensor:
        """Draw `[n, *shape]`; see `decode`."""
        return self.decode(self.prior(n), label)
