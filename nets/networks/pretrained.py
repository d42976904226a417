"""torchvision's weights in the classic networks, by name or from a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..keywords import Keywords

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALVES = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)  # of GoogLeNet, whose weights come from elsewhere
NORMALISE = "normalise."


class Standardise(nn.Module, Keywords):
    """Pictures minus the mean of their channels, over its deviation: (x − μ)/σ.

    Args:
        mean: μ, `[C]`.
        std: σ, `[C]`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("std", torch.tensor(std)[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to the same."""
        return (images - self.mean) / self.std


def load_torchvision(network: nn.Module, kind: str, weights: str | Path) -> None:
    """Give a classic network torchvision's weights, and the standardisation they were trained with.

    A classifier of another number of classes stays as it is: only the features are pretrained.

    Args:
        network: of `classic_cnn`, changed in place; of pictures with three channels.
        kind: its name there.
        weights: a name of torchvision's, as `DEFAULT` or `IMAGENET1K_V1`, fetched at first
            use, or a file of theirs (`.pth`), from which no code is run.

    Raises:
        ValueError: the pictures have not three channels, torchvision has no such weights, or the
            file's do not fit.
        ImportError: torchvision is not installed.
    """
    channels = network.in_shape[0]  # type: ignore[index]
    if channels != 3:
        raise ValueError(f"pictures have {channels} channels: torchvision's weights are of 3")
    source = _theirs(kind, weights)
    own = {name: value for name, value in network.state_dict().items() if NORMALISE not in name}
    if len(own) == len(source) - 2:  # features without a classifier
        source = dict(list(source.items())[:-2])
    if len(own) != len(source):
        raise ValueError(f"{weights} has {len(source)} tensors, expected {len(own)} of {kind}")
    found = {}
    for (name, value), (theirs, given) in zip(own.items(), source.items(), strict=True):
        if value.shape == given.shape:
            found[name] = given
        elif not name.startswith("classifier."):
            shapes = f"{list(given.shape)}, expected {list(value.shape)}"
            raise ValueError(f"{weights}: {theirs} has shape {shapes} as {name} of {kind}")
    network.load_state_dict(found, strict=False)
    network.normalise = Standardise(*(HALVES if kind == "googlenet" else IMAGENET))


def _theirs(kind: str, weights: str | Path) -> Mapping[str, Tensor]:
    """Return the weights of torchvision's network, in the order of its layers, which is ours."""
    try:
        from torchvision import models  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        message = "torchvision's weights need torchvision: pip install torchvision"
        raise ImportError(message) from error
    name = kind.replace("-bn", "_bn").replace("-", "")
    if Path(weights).suffix not in (".pth", ".pt"):
        network = models.get_model(name, weights=str(weights))
    else:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        classes = next(reversed(state.values())).shape[0]
        options: dict[str, Any] = {}
        if kind == "googlenet":
            options = {"aux_logits": False, "init_weights": False}
        network = models.get_model(name, weights=None, num_classes=classes, **options)
        try:
            network.load_state_dict(_without_auxiliaries(state))
        except RuntimeError as error:
            raise ValueError(f"{weights} holds no weights of torchvision's {name}") from error
    return _without_auxiliaries(network.state_dict())


def _without_auxiliaries(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if not name.startswith("aux")}
