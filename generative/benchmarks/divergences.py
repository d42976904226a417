"""What the opponents of a generator learn of a datum at 0 and a sample θ away, curriculum G-GAN-07.

The Jensen-Shannon divergence of the two is log 2 at every θ > 0, and the Wasserstein distance is θ.
They lie in a plane: on a line the penalty would hold a critic that begins with the wrong sign.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nets.gradients.optim import optimizer
from nets.process.seeding import seeded

from ..gans.losses import (
    critic_loss,
    discriminator_loss,
    game_value,
    gradient_penalty,
    saturating_loss,
    wasserstein_generator_loss,
)
from ..gans.networks import mlp_discriminator


@dataclass(frozen=True)
class Apart:
    """A discriminator and a critic, each trained to its best at every distance."""

    distances: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    """θ."""
    steps: int = 1000
    """Of Adam, for each opponent at each distance."""
    learning_rate: float = 3e-3
    hidden: tuple[int, ...] = (64,)
    """Sizes of the dense layers."""
    penalty: float = 100.0
    """λ of the critic, whose best slope is 1 + θ/2λ."""

    def config(self) -> dict[str, Any]:
        """Return the settings."""
        return asdict(self)

    def run(self, seed: int) -> dict[str, Any]:
        """Return divergences, distances and slopes, and how far they are from the exact ones."""
        with seeded(seed):
            found = [self._at(theta) for theta in self.distances]
        measured = {name: [row[name] for row in found] for name in found[0]}
        off = [abs(jsd - math.log(2.0)) for jsd in measured["jensen_shannon"]]
        pairs = zip(measured["wasserstein"], self.distances, strict=True)
        return measured | {
            "jensen_shannon_error": max(off),
            "wasserstein_error": max(abs(w / theta - 1.0) for w, theta in pairs),
            "steepest_discriminator": max(measured["discriminator_slope"]),
            "flattest_critic": min(measured["critic_slope"]),
        }

    def _at(self, theta: float) -> dict[str, float]:
        datum, sample = torch.zeros(1, 2), torch.tensor([[theta, 0.0]], requires_grad=True)

        def play(network: nn.Module) -> Tensor:
            return discriminator_loss(network(datum), network(sample.detach()))

        def criticise(network: nn.Module) -> Tensor:
            distance = critic_loss(network(datum), network(sample.detach()))
            penalty = gradient_penalty(network, datum, sample.detach())
            return distance + self.penalty * penalty

        discriminator, critic = self._trained(play), self._trained(criticise)
        value = game_value(discriminator(datum), discriminator(sample))
        apart = -critic_loss(critic(datum), critic(sample))
        saturating = saturating_loss(discriminator(sample))
        wasserstein = wasserstein_generator_loss(critic(sample))
        return {
            "jensen_shannon": 0.5 * (value.item() + math.log(4.0)),  # V = 2 JSD − log 4
            "wasserstein": apart.item(),
            "discriminator_slope": _slope(saturating, sample),
            "critic_slope": _slope(wasserstein, sample),
        }

    def _trained(self, loss: Callable[[nn.Module], Tensor]) -> nn.Module:
        network = mlp_discriminator(2, self.hidden)
        adam = optimizer("adam", network.parameters(), lr=self.learning_rate)
        for _ in range(self.steps):
            adam.zero_grad()
            loss(network).backward()
            adam.step()
        return network


def _slope(loss: Tensor, sample: Tensor) -> float:
    """Return the length of ∂loss/∂sample, what the generator would follow."""
    (gradient,) = torch.autograd.grad(loss, sample)
    return gradient.norm().item()
