"""The rows of a run: to train on, and held out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nets.process.seeding import hash31
from nets.runs.checkpoint import fitting
from nets.runs.fingerprints import Source, checkpoint_source, source

from .dataset import Dataset
from .files import files_of
from .load import is_path, load_dataset


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


def sources(data: DataConfig) -> dict[str, Source]:
    """Return the files that the data come from, or the run whose agent plays; what is ours: none.

    Raises:
        ValueError: a folder holds no images.
    """
    if is_path(data.spec):
        return {"data": source(data.spec, files_of(Path(data.spec)))}
    _, at, run = data.spec.rpartition("@")
    player = checkpoint_source(run) if at else None
    return {} if player is None else {"data": player}


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
