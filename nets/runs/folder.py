"""A run is a folder: how it is cut up, what it takes to repeat it, and where its files lie."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from ..settings import Count, Settings, Whole
from .checkpoint import load_json, remove_unfinished, save_json
from .checkpoints import Checkpoints
from .ownership import owned
from .provenance import git_commit, versions


@dataclass(frozen=True)
class RunConfig(Settings):
    """How a run is cut up; part of the run, since results depend on it."""

    steps: Whole
    """Steps of the whole run."""
    segment_steps: Count
    """Steps between checkpoints."""
    log_every: Count
    """Steps between rows of metrics.csv."""
    eval_every: Whole
    """Steps between evaluations; 0 for none."""


ConfigT = TypeVar("ConfigT", bound=RunConfig)


class RunFolder(Generic[ConfigT]):
    """`runs/<name>/`: config.json, checkpoints/, best/, metrics.csv, events, curve.

    Heirs say what a run's `config_type` is, and what is in its checkpoints.
    """

    config_type: type[ConfigT]
    pictures: tuple[str, ...] = ("curve.png",)
    """Names of the pictures that it leaves."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config_file = self.path / "config.json"
        self.metrics_file = self.path / "metrics.csv"
        self.curve = self.path / "curve.png"
        self.files = Checkpoints(self.path)
        self._owned = False

    @contextmanager
    def owned(self, leads: bool = True) -> Iterator[Self]:
        """Keep everybody else from training here until the (outermost) block ends.

        Args:
            leads: whether this process writes; for those that help it nothing is done.

        Raises:
            Occupied: somebody trains here already.
        """
        if self._owned or not leads:
            yield self
            return
        with owned(self.path):
            self._owned = True
            try:
                yield self
            finally:
                self._owned = False

    def clean(self) -> None:
        """Remove what killed processes left half written; nothing that could be another's."""
        names = (self.config_file.name, self.metrics_file.name, *self.pictures)
        remove_unfinished(self.path, names)
        self.files.clean()

    def begin(self, record: dict[str, Any], config: ConfigT, command: Sequence[str]) -> None:
        """Begin a new run: write `record`, how it is cut up, the command, and whose program it was.

        Raises:
            FileExistsError: the folder holds a run already.
            Occupied: another process owns it.
        """
        with self.owned():
            if self.config_file.exists():
                message = f"{self.path} already holds a run: resume it, or choose another folder"
                raise FileExistsError(message)
            origin = {"command": list(command), "git_commit": git_commit(), "versions": versions()}
            save_json(self.config_file, record | {"run": asdict(config)} | origin)

    def load_config(self) -> dict[str, Any]:
        """Return what `begin` wrote.

        Raises:
            FileNotFoundError: the folder is not a run.
        """
        if not self.config_file.exists():
            raise FileNotFoundError(f"{self.path} is not a run folder: it has no config.json")
        return load_json(self.config_file)

    def run_config(self) -> ConfigT:
        """Return how the run is cut up."""
        return self.config_type(**self.load_config()["run"])

    def extend(self, steps: int) -> ConfigT:
        """Record that the run is to have `steps` steps in all; return how it is cut up.

        Raises:
            ValueError: it was to have more already.
        """
        record = self.load_config()
        before = record["run"]["steps"]
        if steps < before:
            message = f"steps is {steps}: {self.path} was started with {before}"
            raise ValueError(f"{message}, expected at least as many")
        record["run"] |= {"steps": steps}
        save_json(self.config_file, record)
        return self.config_type(**record["run"])
