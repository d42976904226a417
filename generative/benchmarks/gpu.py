"""Speed of a VAE and a DCGAN of 64x64 pictures on a GPU, beside the textbook loop in float32."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from nets.benchmarks.gpu import GPU, NEED, GpuCase, waited
from nets.benchmarks.timing import Case, Measure, Side
from nets.process.seeding import seeded

from ..model import GenerativeModel
from .cases import ours, plain
from .models import conv_vae, dcgan
from .peers import Loop, eager_dcgan, eager_vae

LOOP = Loop(256, GPU, waited)
ROWS = 60 * LOOP.batch_size
SHOWN = 16  # rows whose outputs are compared


def outputs(make: Callable[[], Any], device: str) -> Tensor:
    """Return what a model decodes from latents of a seed, on `device`."""
    with seeded(0), torch.no_grad():
        model = make().eval()
        z = torch.randn(SHOWN, model.config.latent)  # [B, D]
        decoded: Tensor = model.to(device).decode(z.to(device))
        return decoded


def case(
    kind: str,
    model: Callable[..., GenerativeModel],
    textbook: Callable[[Any, int, Loop], Measure],
    rows: int = ROWS,
    loop: Loop = LOOP,
) -> GpuCase:
    """Return the comparison of a model."""
    make = partial(model, rows, batch_size=loop.batch_size)
    return GpuCase(
        Case(
            f"gpu-{kind}-64",
            f"{kind} on 64x64 pictures in batches of {loop.batch_size}; the peer is the textbook"
            " loop",
            f"{rows:,} images",
            "images/s",
            Side(kind, ours(make, rows, loop=loop)),
            (
                Side("plain torch, float32", plain(textbook, make, rows, loop)),
                Side(f"{kind}, compiled", ours(partial(make, compiled=True), rows, loop=loop)),
            ),
            rounds=3,
            needs=NEED,
        ),
        partial(outputs, make),
    )


VAE_CASE = ("vae", conv_vae, eager_vae)
DCGAN_CASE = ("dcgan", dcgan, eager_dcgan)
CASES = (case(*VAE_CASE), case(*DCGAN_CASE))
