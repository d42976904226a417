"""Measure the run of a model of data, which are found again by its record."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nets.runs.checkpoint import CheckpointError
from nets.runs.folder import RunFolder
from nets.warned import warn

from ..data.parts import load_run_data, recorded, sources
from ..model import GenerativeModel
from .measure import Figure, measure


@dataclass(frozen=True)
class Asked:
    """What is asked of a measurement.

    Attributes:
        seed: of the noise and of every choice of rows.
        trust: whether data, environments and agents may be of any module, whose code then runs.
        fid: whether to measure FID, KID and the Inception score too.
        actor: run of an agent whose returns in dreams and outside are compared.
        episodes: of it.
    """

    seed: int = 0
    trust: bool = False
    fid: bool = False
    actor: Path | None = None
    episodes: int = 100


def measure_run(
    model: GenerativeModel, folder: Path, record: Mapping[str, Any], asked: Asked
) -> Iterator[Figure]:
    """Yield what `measure` says of a model of data, with the data that its run records.

    Args:
        model: in evaluation mode.
        folder: of the run.
        record: its `config.json`.
        asked: see there.

    Of data that are not what they were it is warned: the rows held out are others then.

    Raises:
        ValueError: an agent is asked for, or the data cannot be read.
    """
    if asked.actor is not None:
        raise ValueError(f"no agent can act in a {model.name}: expected the run of a world")
    parts = load_run_data(record, trust=asked.trust)
    try:
        RunFolder(folder).check_sources(sources(recorded(record, trust=asked.trust)))
    except CheckpointError as error:
        warn(f"{error}; rows held out now may have been trained on")
    train, held_out = (data.to(model.device) for data in parts)
    yield from measure(model, train, held_out, seed=asked.seed, fid=asked.fid, progress=True)
