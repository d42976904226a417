"""Speed of training generative models: images/s in batches of 64, on one thread.

Bars: the dense VAE 1.8 times pythae, the convolutional one 1.3 times, DCGAN 1.5 times the textbook
loop in float32 over the same networks; from a file 0.8 times as fast as from memory.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from nets.benchmarks.timing import Case, Measure, Side

from ..data.dataset import Dataset
from ..data.stored import Rows, in_a_file
from ..model import GenerativeModel
from ..training.trainer import Trainer
from .dreams import CASES as DREAMS
from .models import conv_vae, dcgan, dense_vae
from .peers import BATCH_SIZE, HERE, PYTHAE, Loop, eager_dcgan, eager_vae, pythae

MLP_ROWS, CONV_ROWS = 128 * BATCH_SIZE, 10 * BATCH_SIZE
GAN_ROWS = {32: 4 * BATCH_SIZE, 64: 2 * BATCH_SIZE}
DENSE = "VAE 784-512-16 of dense layers"
CONVOLVED = "VAE of 64x64 pictures, four convolutions"
FILE_ROWS = 60_000  # far more than are trained on between two looks at the clock


def ours(
    make: Callable[[], GenerativeModel],
    rows: int,
    of: int | None = None,
    laid: Callable[[Tensor], Rows] = lambda x: x,
    loop: Loop = HERE,
) -> Measure:
    """Measure images/s of our trainer, as a person gets it: mixed precision where it pays.

    Args:
        make: makes the model.
        rows: that are trained on.
        of: among how many they are chosen; as many by default.
        laid: where they lie.
        loop: rows of a step, and the device.
    """

    def measure(turn: int) -> float:
        model = make()
        x = torch.randint(256, (of or rows, *model.shape), dtype=torch.uint8)
        data = Dataset("noise", laid(x))
        trainer = Trainer(model, data, seed=turn, device=loop.device, progress=False)
        steps = rows // loop.batch_size
        trainer.run(steps)
        return loop.timed(rows, lambda: trainer.run(2 * steps))

    return measure


def filed(x: Tensor) -> Rows:
    """Lay rows into a file, from which each batch is read."""
    return in_a_file("noise", [x], tuple(x.shape), x.dtype)


def plain(
    textbook: Callable[[Any, int, Loop], Measure],
    make: Callable[[], GenerativeModel],
    rows: int,
    loop: Loop = HERE,
) -> Measure:
    """Measure images/s of a textbook's loop over the networks of a new model in each round."""
    return lambda turn: textbook(make().to(loop.device), rows, loop)(turn)


def _vae(
    name: str, what: str, make: Callable[[], GenerativeModel], rows: int, bar: float
) -> tuple[Case, Case]:
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
        (Side("plain torch", plain(eager_vae, make, rows)),),
        rounds=5,
    )
    return against_pythae, against_eager


def _dcgan(size: int) -> Case:
    rows = GAN_ROWS[size]
    make = partial(dcgan, rows, size)
    return Case(
        f"dcgan-{size}",
        f"DCGAN on {size}x{size} pictures with 64 base filters; the peer is the textbook loop over"
        " the same networks",
        f"{rows} images",
        "images/s",
        Side("dcgan", ours(make, rows)),
        (Side("plain torch", plain(eager_dcgan, make, rows)),),
        bar=1.5,
        rounds=5,
    )


def _from_a_file(name: str, what: str, make: Callable[[], GenerativeModel], rows: int) -> Case:
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
    *_vae("vae-mlp", DENSE, partial(dense_vae, MLP_ROWS), MLP_ROWS, bar=1.8),
    *_vae("vae-conv", CONVOLVED, partial(conv_vae, CONV_ROWS), CONV_ROWS, bar=1.3),
    *map(_dcgan, GAN_ROWS),
    _from_a_file("vae-mlp", DENSE, partial(dense_vae, MLP_ROWS), MLP_ROWS),
    _from_a_file("vae-conv", CONVOLVED, partial(conv_vae, CONV_ROWS), CONV_ROWS),
    *DREAMS,
)
