"""What was lived through, as it lies in the folder of a run."""

from typing import Any

from nets.process.seeding import hash31
from nets.runs.checkpoint import fitting, load_checkpoint
from nets.runs.fingerprints import source
from nets.runs.folder import RunFolder

from .episodes import Episodes

EXPERIENCE = "episodes.pt"


def load_experience(run: RunFolder[Any]) -> Episodes:
    """Return what was lived through, if the world was begun with it.

    Raises:
        FileNotFoundError: it is not there.
        CheckpointError: the file holds something else.
    """
    file = run.path / EXPERIENCE
    run.check_sources({"data": source(file, [file])})
    with fitting(file):
        return Episodes.from_state_dict(load_checkpoint(file))


def deal(episodes: Episodes, share: float, seed: int) -> tuple[Episodes, Episodes | None]:
    """Deal episodes into those to learn from and those held out, where there are enough.

    Args:
        episodes: all.
        share: of the episodes that is held out, in [0, 1).
        seed: of the run.
    """
    if share and len(episodes.lengths) > 1:
        share = max(share, 1 / len(episodes.lengths))
        return episodes.split(share, hash31(seed, "held out"))
    return episodes, None
