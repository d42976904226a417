"""The plain autoencoder: of the latents nothing is asked."""

from collections.abc import Sequence
from typing import Unpack

from torch import Tensor

from ..model import Batch, Loss, Player
from .autoencoder import Autoencoder, AutoencoderOptions
from .config import AEConfig
from .moving_gaussian import MovingGaussian


class AE(Autoencoder[AEConfig]):
    """Autoencoder: lowers dist(x, g(f(x))), curriculum G-AE-01.

    An autoencoder says nothing of which latents there are. `sample` draws them from the Gaussian
    with mean and covariance of those seen lately in training (Ghosh et al., 2020).
    """

    name = "ae"
    config_type = AEConfig

    def __init__(
        self,
        shape: Sequence[int],
        config: AEConfig | None = None,
        **options: Unpack[AutoencoderOptions],
    ) -> None:
        super().__init__(shape, config, **options)
        self.latents = MovingGaussian(self.latent)

    def players(self) -> Sequence[Player]:
        """Return the one player."""
        return (Player("autoencoder", self, self.loss),)

    def loss(self, batch: Batch) -> Loss:
        """Return the mean of dist(x, g(f(x))); in training, follow the latents."""
        z = self.encode(batch.x)  # [B, D]
        if self.training:
            self.latents.update(z.detach())
        loss = self.reconstruction_loss(z, batch.x, self.told(batch)).mean()
        return Loss(loss, {"reconstruction": loss.detach()})

    def prior(self, n: int) -> Tensor:
        """Draw latents `[n, D]` like those of the data."""
        return self.latents.sample(self.many(n))
