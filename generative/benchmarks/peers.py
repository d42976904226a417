"""Peers: pythae in an environment of its own, and the loops that everybody writes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from nets.benchmarks.apart import Apart
from nets.benchmarks.timing import Measure, rate
from nets.process.seeding import seeded

from ..autoencoders.variational import VAE
from ..gans.minimax import DCGAN

PYTHAE = Apart(
    "pythae", ("pythae==0.1.2",), Path(__file__).with_name("pythae_peer.py"), beside_ours=True
)
BATCH_SIZE = 64


@dataclass(frozen=True)
class Loop:
    """How a textbook's loop runs.

    Attributes:
        batch_size: rows of a step.
        device: where the networks are, and the rows.
        timed: returns an amount per second of some work.
    """

    batch_size: int = BATCH_SIZE
    device: str = "cpu"
    timed: Callable[[int, Callable[[], object]], float] = rate


HERE = Loop()
"""On the CPU, in the batches of the benchmark."""


def pythae(kind: str, rows: int) -> Measure:
    """Measure images/s of pythae's trainer."""
    return PYTHAE.measure(kind, rows)


def eager_vae(model: VAE, rows: int, loop: Loop) -> Measure:
    """Measure images/s of a VAE's textbook loop over the networks of `model`."""
    encoder, decoder, shape = model.encoder, model.decoder, model.shape

    def measure(turn: int) -> float:
        with seeded(turn):
            return timed()

    def timed() -> float:
        data = torch.rand(rows, *shape, device=loop.device)  # [N, C, H, W]
        adam = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)

        def epoch() -> None:
            for x in data[torch.randperm(rows)].split(loop.batch_size):
                mean, logvar = encoder(x).chunk(2, dim=1)  # [B, D]
                z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
                logits = decoder(z).reshape(x.shape)
                likelihood = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
                kl = -0.5 * (1 + logvar - mean.square() - logvar.exp()).sum()
                adam.zero_grad()
                ((likelihood + kl) / len(x)).backward()
                adam.step()

        epoch()
        return loop.timed(rows, epoch)

    return measure


def eager_dcgan(model: DCGAN, rows: int, loop: Loop) -> Measure:
    """Measure images/s of DCGAN's textbook loop over the networks of `model`."""
    generator, discriminator = model.generator, model.discriminator

    def measure(turn: int) -> float:
        with seeded(turn):
            return timed()

    def timed() -> float:
        data = torch.rand(rows, *model.shape, device=loop.device)  # [N, C, H, W]
        adams = [
            torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999))
            for net in (discriminator, generator)
        ]

        def bce(logits: Tensor, target: float) -> Tensor:
            return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))

        def epoch() -> None:
            for x in data[torch.randperm(rows)].split(loop.batch_size):
                fake = generator(torch.randn(len(x), model.config.latent, device=x.device))
                adams[0].zero_grad()
                real_loss = bce(discriminator(2 * x - 1), 1.0)
                (real_loss + bce(discriminator(fake.detach()), 0.0)).backward()
                adams[0].step()
                adams[1].zero_grad()
                bce(discriminator(fake), 1.0).backward()
                adams[1].step()

        epoch()
        return loop.timed(rows, epoch)

    return measure
