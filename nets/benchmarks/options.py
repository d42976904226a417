"""Options of `scripts/benchmark.py`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from ..kinds import Count, Threads
from ..settings import Settings

_ONLY = tyro.conf.arg(metavar="NAME ...", help_behavior_hint="")


@dataclass(frozen=True)
class BenchmarkOptions(Settings):
    """What to measure."""

    kind: tyro.conf.Positional[Literal["speed", "quality", "growth", "gpu"]] = "speed"
    """speed, quality, growth or gpu."""
    only: Annotated[tuple[str, ...], _ONLY] = ()
    """Cases by name, or by the beginning of names; all by default."""
    json: bool = False
    """Print one JSON object instead of text."""
    list: bool = False
    """List the cases and measure nothing."""
    write: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Also write the table into a document, such as docs/benchmarks.md, between its marks."""
    picture: Annotated[Path, tyro.conf.arg(metavar="FILE")] = Path("growth.png")
    """growth: where to draw, a .png, .svg or .pdf."""
    fetch_peers: bool = False
    """speed: make throw-away environments, here in .venv-*, for peers that are not installed."""
    seeds: Count = 5
    """quality: seeds per row."""
    out: Path = Path("results")
    """quality: folder of the results."""
    on: Annotated[str, tyro.conf.arg(metavar="PLACE")] = "local"
    """quality: where runs are computed: local[:N], ray[:ADDRESS] or slurm[:NAME=VALUE,...]."""
    jobs: Annotated[Threads | None, tyro.conf.arg(metavar="N")] = None
    """quality: runs at a time; by default one here, as many as there is room for elsewhere."""
    data: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """quality: pictures of MNIST, a .npz or idx file, for the rows that need it."""
