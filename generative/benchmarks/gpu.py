"""Speed of a VAE and a DCGAN of 64x64 pictures on a GPU, beside the textbook loop in float32."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from nets.benchmarks.gpu import GPU, NEED, GpuCase, waited
from nets.benchmarks.timing import Case, Measure, Side
from nets.process.seeding import seeded

from ..autoencoders.config import VAEConfig
from ..autoencoders.variational import VAE
from ..data.dataset import Dataset
from ..gans.minimax import DCGAN, DCGANConfig
from ..model import GenerativeModel
from ..training.trainer import Trainer
from .peers import Loop, eager_dcgan, eager_vae

BATCH, STEPS, BEFORE = 256, 60, 20  # rows of a step; steps of a round, and before it
ROWS = BATCH * STEPS
SHOWN = 16  # rows whose outputs are compared
LOOP = Loop(BATCH, GPU, waited)


def vae(compiled: bool = False) -> VAE:
    """Return the convolutional VAE of grey pictures."""
    config = VAEConfig(encoder="conv", latent=10, batch_size=BATCH, compile=compiled)
    return VAE((1, 64, 64), config, dataset_size=ROWS)


def dcgan(compiled: bool = False) -> DCGAN:
    """Return the DCGAN of coloured pictures with 64 base filters."""
    config = DCGANConfig(batch_size=BATCH, compile=compiled)
    return DCGAN((3, 64, 64), config, dataset_size=ROWS)


def ours(make: Callable[[], GenerativeModel]) -> Measure:
    """Measure images/s of our trainer, as a person gets it."""

    def measure(turn: int) -> float:
        model = make()
        x = torch.randint(256, (ROWS, *model.shape), dtype=torch.uint8)
        trainer = Trainer(model, Dataset("noise", x), seed=turn, device=GPU, progress=False)
        trainer.run(BEFORE)
        return waited(ROWS, lambda: trainer.run(BEFORE + STEPS))

    return measure


def plain_vae(turn: int) -> float:
    """Measure images/s of a VAE's textbook loop."""
    model = vae().to(GPU)
    return eager_vae(model.encoder, model.decoder, model.shape, ROWS, LOOP)(turn)


def plain_dcgan(turn: int) -> float:
    """Measure images/s of a DCGAN's textbook loop."""
    return eager_dcgan(dcgan().to(GPU), ROWS, LOOP)(turn)


def outputs(make: Callable[[], Any], device: str) -> Tensor:
    """Return what a model decodes from latents of a seed, on `device`."""
    with seeded(0), torch.no_grad():
        model = make().eval()
        z = torch.randn(SHOWN, model.config.latent)  # [B, D]
        decoded: Tensor = model.to(device).decode(z.to(device))
        return decoded


def case(kind: str, make: Callable[..., GenerativeModel], peer: Measure) -> GpuCase:
    """Return the comparison of a model."""
    return GpuCase(
        Case(
            f"gpu-{kind}-64",
            f"{kind} on 64x64 pictures in batches of {BATCH}; the peer is the textbook loop",
            f"{ROWS:,} images",
            "images/s",
            Side(kind, ours(make)),
            (
                Side("plain torch, float32", peer),
                Side(f"{kind}, compiled", ours(partial(make, compiled=True))),
            ),
            rounds=3,
            needs=NEED,
        ),
        partial(outputs, make),
    )


CASES = (case("vae", vae, plain_vae), case("dcgan", dcgan, plain_dcgan))
