"""What a run is made of, from what its record says: data, dealt in two parts, and a model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

    @classmethod
    def of(cls, spec: str, size: int | None = None, limit: int | None = None) -> "DataConfig":
        """Make paths absolute, so that a run can go on from anywhere."""
        path = Path(spec)
        return cls(str(path.resolve()) if path.exists() else spec, size, limit)

    @property
    def title(self) -> str:
        """A short name: that of a path is its last part."""
        return Path(self.spec).stem if Path(self.spec).is_absolute() else self.spec


def load_parts(data: DataConfig, held_out: float, seed: int) -> tuple[Dataset, Dataset | None]:
    """Load data and deal them into rows to train on and rows held out, if any.

    Raises:
        ValueError: there are no such data, or too few; so too TypeError and FileNotFoundError.
    """
    rows = load_dataset(data.spec, size=data.size, limit=data.limit, seed=seed)
    if not held_out:
        return rows, None
    return rows.split(held_out, hash31(seed, "held out"))


def build_model(name: str, data: Dataset, config: Any = None, seed: int = 0) -> GenerativeModel:
    """Build the model called `name` for `data`, its weights drawn from the seed."""
    model_type = find_model(name).model_type()
    with seeded(hash31(seed, "weights")):
        return model_type(data.shape, config, dataset_size=len(data), num_classes=data.num_classes)
