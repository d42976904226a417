"""A part of a trained model as one program: latents in, data out, or the other way round."""

from collections.abc import Mapping
from copy import deepcopy
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from nets.arguments import checked
from nets.layers.precision import set_convolutions
from nets.runs.program import Program, described

from .autoencoders.autoencoder import Autoencoder
from .gans.game import AdversarialModel
from .model import GenerativeModel

ROWS = 3  # of the batch that is traced; a batch of 1 would be taken for a constant


class Decoder(nn.Module):
    """Data `[N, *shape]` of latents `[N, D]`, as `model.decode` gives them."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor) -> Tensor:
        """Decode."""
        return self.model.decode(z)


class DecoderOfClasses(Decoder):
    """Data `[N, *shape]` of latents `[N, D]` and classes int64 `[N]`."""

    def forward(self, z: Tensor, label: Tensor) -> Tensor:  # type: ignore[override]
        """Decode."""
        return self.model.decode(z, label)


class Encoder(nn.Module):
    """Latents `[N, D]`, their mean where they have one, of data `[N, *shape]`."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """Encode."""
        return self.model.encode(x)


def parts_of(model: GenerativeModel) -> Mapping[str, type[nn.Module]]:
    """Return what of a model can be exported, by name, what makes data first.

    Raises:
        TypeError: nothing of it can.
    """
    decoder = DecoderOfClasses if model.classes else Decoder
    if isinstance(model, Autoencoder):
        return {"decoder": decoder, "encoder": Encoder}
    if isinstance(model, AdversarialModel):
        return {"generator": decoder}
    raise TypeError(f"{model.name} cannot be exported: it is no autoencoder, and has no generator")


@checked
def export_part(model: GenerativeModel, part: str | None = None) -> Program:
    """Export a part of a model for the CPU, and batches of any size N.

    `decoder` (of autoencoders) and `generator` (of GANs) map `z` float32 `[N, D]`, and of a
    conditional model `label` int64 `[N]`, to `x` float32 `[N, *shape]`; `encoder` maps `x`,
    pictures in [0, 1], to `z`.

    Args:
        model: a trained one, of which nothing is changed.
        part: its name; None for what makes data.

    Raises:
        ValueError: the model has no such part.
        TypeError: it has none that can be exported.
    """
    parts = parts_of(model)
    part = part or next(iter(parts))
    if part not in parts:
        raise ValueError(f"{model.name} has no {part}: expected {' or '.join(parts)}")
    model = deepcopy(model).eval().requires_grad_(False)
    model.to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    set_convolutions(model, None)  # any processor multiplies float32 well
    module = parts[part](model).eval()
    if part == "encoder":
        inputs, output = {"x": torch.rand(ROWS, *model.shape)}, "z"
    else:
        inputs, output = {"z": torch.randn(ROWS, model.config.latent)}, "x"
        if model.classes:
            inputs["label"] = torch.zeros(ROWS, dtype=torch.int64)
    batch = Dim("N", min=1)
    with torch.no_grad():
        exported = torch.export.export(
            module,
            tuple(inputs.values()),
            dynamic_shapes=tuple({0: batch} for _ in inputs),
        )
        result = module(*inputs.values())
    for node in exported.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    about = {
        "model": model.name,
        "part": part,
        "classes": model.classes,
        "prior": getattr(model.config, "prior", "normal"),
        "inputs": [described(name, value) for name, value in inputs.items()],
        "outputs": [described(output, result)],
        "versions": {"dreamgym": version("dreamgym"), "torch": torch.__version__},
    }
    return Program(exported, about)
