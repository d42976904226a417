"""What a run is made of, from what its record says: data, dealt in two parts, and a model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nets.training.checkpoint import fitting
from nets.training.seeding import hash31, seeded

from .data import load_dataset
from .dataset import Dataset
from .model import GenerativeModel
from .models import find_model


@dataclass(frozen=True)
class DataConfig:
    """Which rows; see `load_dataset`."""

    spec: str
    """Name of a data set, or a path."""
    size: int | None = None
    """Side of the pictures in pixels; their own by default."""
    limit: int | None = None
    """Rows at most."""
    binarize: bool = False
    """Whether pixels are drawn anew as 0 or 1 in every batch."""

    @classmethod
    def of(cls, spec: str, *settings: Any) -> "DataConfig":
        """Make paths absolute, also of the run in `frames:ENV_ID@RUN`, to go on from anywhere."""
        head, at, path = spec.rpartition("@")
        if Path(path).exists():
            spec = f"{head}{at}{Path(path).resolve()}"
        return cls(spec, *settings)

    @property
    def title(self) -> str:
        """A short name: of paths the last part."""
        head, at, path = self.spec.rpartition("@")
        return f"{head}{at}{Path(path).stem}" if Path(path).is_absolute() else self.spec


def load_parts(data: DataConfig, held_out: float, seed: int) -> tuple[Dataset, Dataset | None]:
    """Load data and deal them into rows to train on and rows held out, if any.

    Raises:
        ValueError: there are no such data, or too few; so too TypeError and FileNotFoundError.
    """
    rows = load_dataset(data.spec, size=data.size, limit=data.limit, seed=seed)
    rows = replace(rows, binarized=data.binarize)
    if not held_out:
        return rows, None
    return rows.split(held_out, hash31(seed, "held out"))


def load_run_data(record: Mapping[str, Any]) -> tuple[Dataset, Dataset]:
    """Load the rows that the run of a config.json was trained on, and those held out.

    Where none were, they are the same.
    """
    with fitting("config.json"):
        data, share = DataConfig(**record["data"]), record["run"]["held_out"]
        seed = record["seed"]
    train, held_out = load_parts(data, share, seed)
    return train, train if held_out is None else held_out


def build_model(name: str, data: Dataset, config: Any = None, seed: int = 0) -> GenerativeModel:
    """Build the model called `name` for `data`, its weights drawn from the seed."""
    model_type = find_model(name).model_type()
    with seeded(hash31(seed, "weights")):
        return model_type(data.shape, config, dataset_size=len(data), num_classes=data.num_classes)


def from_manifest(manifest: Mapping[str, Any], seed: int = 0) -> GenerativeModel:
    """Build the model that `manifest` describes, its weights drawn from the seed."""
    model_type = find_model(manifest["model"]).model_type()
    with seeded(hash31(seed, "weights")):
        return model_type.from_manifest(manifest)


def default_threads(model: nn.Module) -> int:
    """Return how many CPU threads pay: one for dense networks, all there are for convolutions."""
    convolves = any(isinstance(module, nn.Conv2d) for module in model.modules())
    return torch.get_num_threads() if convolves else 1
