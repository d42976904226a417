"""The checkpoints of a run: numbered files to go on from, and the best."""

from collections.abc import Sequence
from pathlib import Path

from .durable import remove_unfinished

KEPT_CHECKPOINTS = 3


class Checkpoints:
    """The files `checkpoints/<step>.pt` and `best/checkpoint.pt` of a run's folder.

    Some runs keep more in `checkpoints/replay/`.

    Args:
        run: the folder.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self.config = run / "config.json"
        self.folder = run / "checkpoints"
        self.replay = self.folder / "replay"
        self.best = run / "best" / "checkpoint.pt"
        self.evaluation = run / "best" / "evaluation.json"
        self.interrupted = self.folder / "interrupted.pt"

    def of_step(self, step: int) -> Path:
        """Return the file of a step."""
        return self.folder / f"{step:010d}.pt"

    def list(self) -> list[Path]:
        """Return the checkpoints that training can go on from, oldest first."""
        return sorted(file for file in self.folder.glob("*.pt") if file.stem.isdecimal())

    def shards(self) -> Sequence[Path]:
        """Return the files of replay rows, oldest first; each is named by its first row."""
        return sorted(file for file in self.replay.glob("*.pt") if file.stem.isdecimal())

    def all(self) -> Sequence[Path]:
        """Return all that there are, also those that nobody goes on from."""
        return [*sorted(self.folder.glob("*.pt")), *self.shards(), self.best]

    def find(self, name: str | None = None) -> Path:
        """Return the best checkpoint, else the last; or the one called `name`.

        Where a run was interrupted before its first, that of the interruption is the last.

        Raises:
            FileNotFoundError: there is none; the existing ones are listed.
        """
        if name in (None, "best") and self.best.exists():
            return self.best
        files = self.list() or [self.interrupted]
        if name in (None, "last") and files[-1].is_file():
            return files[-1]
        if name is not None:
            for file in (self.folder / name, self.folder / f"{name}.pt"):
                if file.is_file():
                    return file
        known = ["best"] * self.best.exists()
        known += [file.stem for file in sorted(self.folder.glob("*.pt"))]
        wanted = "no checkpoint" if name is None else f"no checkpoint {name!r}"
        raise FileNotFoundError(f"{self.run} has {wanted}; it has: {', '.join(known) or 'none'}")

    def clean(self) -> None:
        """Remove what killed processes left half written."""
        for folder, names in (
            (self.folder, ["[0-9]*.pt", self.interrupted.name]),
            (self.replay, ["[0-9]*.pt"]),
            (self.best.parent, [self.best.name, self.evaluation.name]),
        ):
            remove_unfinished(folder, names)

    def prune(self) -> None:
        """Remove all numbered files but the last three."""
        for file in self.list()[:-KEPT_CHECKPOINTS]:
            file.unlink()
