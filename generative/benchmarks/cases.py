"""Speed of training generative models: images/s in batches of 64, on one thread.

Bars: the dense VAE 1.8 times pythae, the convolutional one 1.3 times, DCGAN 1.5 times the textbook
loop in float32 over the same networks; from a file 0.8 times as fast as from memory.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from nets.benchmarks.timing import Case, Measure, Side, rate

from ..autoencoders.config import VAEConfig
from ..autoencoders.variational import VAE
from ..data.dataset import Dataset
from ..data.stored import Rows, in_a_file
from ..gans.minimax import DCGAN, DCGANConfig
from ..model import GenerativeModel
from ..training.trainer import Trainer
from .dreams import CASES as DREAMS
from .peers import BATCH_SIZE, PYTHAE, eager_dcgan, eager_vae, pythae

MLP_ROWS, CONV_ROWS = 128 * BATCH_SIZE, 10 * BATCH_SIZE
GAN_ROWS = {32: 4 * BATCH_SIZE, 64: 2 * BATCH_SIZE}
FILE_ROWS = 60_000  # far more than are trained on between two looks at the clock


def dense_vae() -> VAE:
    """Return a VAE 784-512-16."""
    config = VAEConfig(encoder="mlp", hidden=(512,), latent=16, batch_size=BATCH_SIZE)
    return VAE((1, 28, 28), config, dataset_size=MLP_ROWS)


def conv_vae() -> VAE:
    """Return a VAE of 64x64 pictures: four 4x4 convolutions of stride 2, 256-256, 10 latents."""
    config = VAEConfig(encoder="conv", latent=10, batch_size=BATCH_SIZE)
    return VAE((1, 64, 64), config, dataset_size=CONV_ROWS)


def dcgan(size: int) -> DCGAN:
    """Return a DCGAN of coloured pictures with 64 base filters."""
    config = DCGANConfig(batch_size=BATCH_SIZE)
    return DCGAN((3, size, size), config, dataset_size=GAN_ROWS[size])


def ours(
    make: Callable[[], GenerativeModel],
    rows: int,
    of: int | None = None,
    laid: Callable[[Tensor], Rows] = lambda x: x,
) -> Measure:
    """Measure images/s of our trainer, as a person gets it: mixed precision where it pays.

    Args:
        make: makes the model.
        rows: that are trained on.
        of: among how many they are chosen; as many by default.
        laid: where they lie.
    """

    def measure(turn: int) -> float:
        model = make()
        x = torch.randint(256, (of or rows, *model.shape), dtype=torch.uint8)
        data = Dataset("noise", laid(x))
        trainer = Trainer(model, data, seed=turn, device="cpu", progress=False)
        steps = rows // BATCH_SIZE
        trainer.run(steps)
        return rate(rows, lambda: trainer.run(2 * steps))

    return measure


def filed(x: Tensor) -> Rows:
    """Lay rows into a file, from which each batch is read."""
    return in_a_file("noise", [x], tuple(x.shape), x.dtype)


def eager(make: Callable[[], VAE], rows: int) -> Measure:
    """Measure images/s of the textbook loop over the same networks."""
    model = make()
    return eager_vae(model.encoder, model.decoder, model.shape, rows)


def _vae(name: str, what: str, make: Callable[[], VAE], rows: int, bar: float) -> tuple[Case, Case]:
    side = Side("vae", ours(make, rows))
    work = f"{rows:,} images"
    against_pythae = Case(
        name,
        what,
        work,
        "images/s",
        side,
        (Side("pythae", pythae(name.removeprefix("vae-"), rows)),),
        bar=bar,
        rounds=5,
        needs=PYTHAE.need,
    )
    against_eager = Case(
        f"{name}-eager",
        f"{what}; the peer is the textbook loop over the same networks",
        work,
        "images/s",
        side,
        (Side("plain torch", lambda turn: eager(make, rows)(turn)),),
        rounds=5,
    )
    return against_pythae, against_eager


def _dcgan(size: int) -> Case:
    rows = GAN_ROWS[size]
    make = partial(dcgan, size)
    return Case(
        f"dcgan-{size}",
        f"DCGAN on {size}x{size} pictures with 64 base filters; the peer is the textbook loop over"
        " the same networks",
        f"{rows} images",
        "images/s",
        Side("dcgan", ours(make, rows)),
        (Side("plain torch", lambda turn: eager_dcgan(make(), rows)(turn)),),
        bar=1.5,
        rounds=5,
    )


def _from_a_file(name: str, what: str, make: Callable[[], VAE], rows: int) -> Case:
    return Case(
        f"{name}-file",
        f"{what}, from {FILE_ROWS:,} rows in a file; the peer is the same from memory",
        f"{rows:,} images",
        "images/s",
        Side("file", ours(make, rows, FILE_ROWS, filed)),
        (Side("memory", ours(make, rows, FILE_ROWS)),),
        bar=0.8,
        rounds=5,
    )


CASES = (
    *_vae("vae-mlp", "VAE 784-512-16 of dense layers", dense_vae, MLP_ROWS, bar=1.8),
    *_vae("vae-conv", "VAE of 64x64 pictures, four convolutions", conv_vae, CONV_ROWS, bar=1.3),
    *map(_dcgan, GAN_ROWS),
    _from_a_file("vae-mlp", "VAE 784-512-16 of dense layers", dense_vae, MLP_ROWS),
    _from_a_file("vae-conv", "VAE of 64x64 pictures, four convolutions", conv_vae, CONV_ROWS),
    *DREAMS,
)
