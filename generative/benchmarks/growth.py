"""How images per second grow with the batch, and with the size of the pictures."""

from collections.abc import Callable

import torch

from nets.benchmarks.growth import Growth, Line, Measure, allowed, seconds

from ..data.dataset import Dataset
from ..model import GenerativeModel
from ..training.players import mixed_precision
from ..training.trainer import Trainer
from .models import conv_vae, dcgan, dense_vae
from .peers import BATCH_SIZE

BATCHES = (4, 16, 64, 256, 1_024)
SIZES = (16, 32, 64, 128)  # pixels of a side
ROWS = 1_024  # most that are trained on in a round
PIXELS = 1 << 17  # in the batches of a round, about


def trained(
    make: Callable[..., GenerativeModel], size: int | None = None, batch_size: int | None = None
) -> Measure:
    """Measure images/s of our trainer; the limit is what the products of its steps allow.

    Args:
        make: makes the model, of the rows, the size and the batch.
        size: of the pictures; None: what grows.
        batch_size: the rows of a step; None: what grows.
    """

    def measure(grown: int) -> tuple[float, float]:
        side, rows = size or grown, batch_size or grown
        model = make(ROWS, side, rows)
        x = torch.randint(256, (max(ROWS, rows), *model.shape), dtype=torch.uint8)
        trainer = Trainer(model, Dataset("noise", x), device="cpu", progress=False)
        steps = max(PIXELS // (side * side * rows), 1)

        def train() -> None:
            trainer.run(trainer.steps + steps)

        with mixed_precision(model.config, trainer.device, model.shape)():
            halved = torch.is_autocast_enabled("cpu")
        dtype = torch.bfloat16 if halved else torch.float32
        return steps * rows / seconds(train), allowed(train, steps * rows, dtype)

    return measure


CURVES = (
    Growth(
        "batch",
        "Training of generative models",
        "rows of a batch",
        "images/s",
        "the products of a step",
        (
            Line("VAE, dense, 28x28", trained(dense_vae, size=28), BATCHES),
            Line("VAE, convolutions, 64x64", trained(conv_vae, size=64), BATCHES),
            Line("DCGAN, 32x32", trained(dcgan, size=32), BATCHES),
        ),
    ),
    Growth(
        "pictures",
        f"Training of generative models in batches of {BATCH_SIZE}",
        "pixels of a side",
        "images/s",
        "the products of a step",
        (
            Line("VAE, dense", trained(dense_vae, batch_size=BATCH_SIZE), SIZES),
            Line("VAE, convolutions", trained(conv_vae, batch_size=BATCH_SIZE), SIZES),
            Line("DCGAN", trained(dcgan, batch_size=BATCH_SIZE), SIZES[1:]),
        ),
    ),
)
