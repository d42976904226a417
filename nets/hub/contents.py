"""Which files of a run travel, under which names, and how large they may be."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..runs.checkpoint import MOST_JSON, CheckpointError
from ..runs.checkpoints import Checkpoints
from ..runs.metrics import MOST_METRICS

CARD, CONFIG, WEIGHTS = "README.md", "config.json", "best/checkpoint.safetensors"
BEST = "best/checkpoint.pt"
MOST_PICTURE, MOST_CARD, MOST_WEIGHTS = 2**26, 2**20, 2**32  # bytes
PICTURES = ("curve", "samples", "reconstructions", "traversals", "dreams")
SHARED = {"episodes.pt": "episodes.safetensors"}
"""Checkpoints beside the best one: what a world was learned from."""
MOST = {
    CARD: MOST_CARD,
    CONFIG: MOST_JSON,
    WEIGHTS: MOST_WEIGHTS,
    "best/evaluation.json": MOST_JSON,
    "metrics.csv": MOST_METRICS,
    **{f"{name}.png": MOST_PICTURE for name in PICTURES},
    "episode.gif": MOST_PICTURE,
    **dict.fromkeys(SHARED.values(), MOST_WEIGHTS),
}
"""The most bytes of each file that is taken from a repository; no other name is looked at."""
PLAIN = tuple(name for name in MOST if not name.endswith((".safetensors", ".json", ".md")))
"""What is copied as it is."""


class Travelling(NamedTuple):
    """A file of a run, and what it is called in a repository."""

    name: str
    file: Path


def travelling(run: Path, checkpoint: str | None) -> Iterator[Travelling]:
    """Yield what travels of a run as it is, and its checkpoints, which become safetensors.

    Raises:
        FileNotFoundError: it has no such checkpoint.
        CheckpointError: a file is a link, and may be somebody else's.
    """
    files = Checkpoints(run)
    found = [Travelling(WEIGHTS, files.find(checkpoint))]
    if found[0].file == files.best and files.evaluation.exists():
        found.append(Travelling("best/evaluation.json", files.evaluation))
    found += [Travelling(SHARED[name], run / name) for name in SHARED]
    found += [Travelling(name, run / name) for name in PLAIN]
    for each in found:
        if not each.file.exists():
            continue
        if each.file.is_symlink() or each.file.parent.is_symlink():
            raise CheckpointError(f"{each.file} is a link: only the run's own files travel")
        yield each
