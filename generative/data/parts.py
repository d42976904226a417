"""The rows of a run: to train on, and held out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from nets.kinds import Count, Part, Range
from nets.process.seeding import hash31
from nets.runs.checkpoint import UntrustedError, fitting
from nets.runs.fingerprints import Source, checkpoint_source, source
from nets.runs.places import AT, rooted
from nets.settings import Settings

from .dataset import Dataset
from .files import files_of
from .label_files import named
from .load import foreign, is_path, load_dataset
from .pictures import Size, Way


@dataclass(frozen=True)
class DataConfig(Settings):
    """Which rows; see `load_dataset`."""

    spec: str
    """Name of a data set, or a path."""
    size: Count | tuple[Count, Count] | None = None
    """Side of the pictures in pixels, or height and width; their own by default."""
    limit: Count | None = None
    """Rows at most."""
    binarize: bool = False
    """Whether pixels are drawn anew as 0 or 1 in every batch."""
    fit: Way = "stretch"
    """How pictures of another aspect come to the size."""
    labels: str | None = None
    """Column, member or file of the labels; by default where they are looked for."""

    @classmethod
    def of(
        cls,
        spec: str,
        size: Size | None = None,
        limit: int | None = None,
        binarize: bool = False,
        *,
        fit: Way = "stretch",
        labels: str | None = None,
    ) -> "DataConfig":
        """Make paths absolute, also of the run in `frames:ENV_ID@RUN`, to go on from anywhere.

        A name of ours stays one, whatever lies in the folder that one is in.
        """
        if labels is not None and (place := named(Path(spec), labels)).is_file():
            labels = rooted(place)
        if is_path(spec):
            return cls(rooted(spec), size, limit, binarize, fit, labels)
        head, at, path = spec.rpartition(AT)
        if at and Path(path).exists():
            spec = f"{head}{AT}{rooted(path)}"
        return cls(spec, size, limit, binarize, fit, labels)

    @property
    def title(self) -> str:
        """A short name: of paths the last part."""
        if is_path(self.spec):
            return Path(self.spec).stem
        head, at, path = self.spec.rpartition(AT)
        return f"{head}{at}{Path(path).stem}" if Path(path).is_absolute() else self.spec


def sources(data: DataConfig) -> dict[str, Source]:
    """Return the files that the data come from, or the run whose agent plays; what is ours: none.

    Raises:
        ValueError: a folder holds no images.
    """
    if is_path(data.spec):
        return {"data": source(data.spec, files_of(Path(data.spec), data.labels))}
    _, at, run = data.spec.rpartition(AT)
    player = checkpoint_source(run) if at else None
    return {} if player is None else {"data": player}


@dataclass(frozen=True)
class _Deal(Settings):
    """How the rows of a run were chosen and dealt."""

    seed: Annotated[int, Range(0, 2**62)]
    held_out: Part


def load_parts(
    data: DataConfig, held_out: float, seed: int, *, trust: bool = False
) -> tuple[Dataset, Dataset | None]:
    """Load data and deal them into rows to train on and rows held out, if any.

    Args:
        data: which.
        held_out: share of the rows that is held out.
        seed: of every choice.
        trust: see `load_dataset`.

    Raises:
        ValueError: there are no such data, or too few; so too TypeError and FileNotFoundError.
    """
    rows = load_dataset(
        data.spec,
        size=data.size,
        fit=data.fit,
        labels=data.labels,
        limit=data.limit,
        seed=seed,
        trust=trust,
    )
    rows = replace(rows, binarized=data.binarize)
    if not held_out:
        return rows, None
    return rows.split(held_out, hash31(seed, "held out"))


def recorded(record: Mapping[str, Any], *, trust: bool = False) -> DataConfig:
    """Return which rows the run of a config.json was trained on.

    Args:
        record: the config.json.
        trust: whether it may name environments of any module.

    Raises:
        UntrustedError: it does, and `trust` is False.
        CheckpointError: it does not say which rows.
    """
    with fitting("config.json"):
        data = DataConfig(**record["data"])
        if not trust and (world := foreign(data.spec)):
            raise UntrustedError([f"the environment {world!r}"])
    return data


def recorded_parts(
    record: Mapping[str, Any], *, trust: bool = False
) -> tuple[Dataset, Dataset | None]:
    """Load the rows that `recorded` returns, to train on and held out, if any.

    Raises:
        CheckpointError: as there.
        ValueError: as `load_parts`, and what it raises else.
    """
    data = recorded(record, trust=trust)
    with fitting("config.json"):
        deal = _Deal(record["seed"], record["run"]["held_out"])
    return load_parts(data, deal.held_out, deal.seed, trust=trust)


def load_run_data(record: Mapping[str, Any], *, trust: bool = False) -> tuple[Dataset, Dataset]:
    """Load the rows of a run as `recorded_parts`; where none were held out, they are the same."""
    train, held_out = recorded_parts(record, trust=trust)
    return train, train if held_out is None else held_out
