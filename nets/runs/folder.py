"""A run is a folder: how it is cut up, what it takes to repeat it, and where its files lie."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from ..glance import in_a_table
from ..kinds import Count, Whole
from ..settings import Settings
from ..warned import warn
from .changes import described_at
from .checkpoint import (
    CheckpointError,
    Damaged,
    fitting,
    load_checkpoint,
    load_json,
    save_checkpoint,
)
from .checkpoints import Checkpoints
from .durable import as_path, remove_unfinished
from .finding import require_run
from .fingerprints import Source
from .metrics import Mark, check_rows
from .ownership import owned
from .places import FOLDER, found_again
from .provenance import git_commit, git_dirty, moved, origin
from .records import CHANGES, differences, lasting, record_of, save_record
from .shapes import require_shapes

PULLED = "pulled"
"""Under which config.json says from where a shared run was brought, without its checkpoints."""


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
        self.path = as_path(path).absolute()  # worlds may change the current folder
        self.metrics_file = self.path / "metrics.csv"
        self.curve = self.path / "curve.png"
        self.files = Checkpoints(self.path)
        self.config_file = self.files.config
        self._owned = False
        self._record: dict[str, Any] | None = None
        self._began: str | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: where it is, what was typed, how far it came, pictures."""
        facts: dict[str, Any] = {"path": str(self.path)}
        with suppress(OSError, ValueError, TypeError, AttributeError, LookupError):  # anybody's
            record = load_json(self.config_file)
            facts["of"] = record.get("algorithm") or record.get("model")
            facts["command"] = shlex.join(record.get("command", []))
            facts["steps"] = record["run"]["steps"]
            facts["checkpoints"] = ", ".join(file.stem for file in self.files.list())
        files = [self.path / name for name in self.pictures]
        return in_a_table(self, facts, [file.read_bytes() for file in files if file.is_file()])

    def libraries(self, state: Mapping[str, Any]) -> tuple[str, ...]:
        """Return which libraries computed what a checkpoint holds: others round differently."""
        return ("torch",)

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
        """Remove what killed processes left half written; nothing that could be another's.

        Raises:
            CheckpointError: a folder is a link, so that another's files would be removed.
        """
        for folder in (self.files.folder, self.files.replay, self.files.best.parent):
            if folder.is_symlink():
                raise CheckpointError(f"{folder} is a link: a run is written in its own folder")
        names = (self.config_file.name, self.metrics_file.name, *self.pictures)
        remove_unfinished(self.path, names)
        self.files.clean()

    def begin(self, record: dict[str, Any], config: ConfigT, command: Sequence[str]) -> None:
        """Begin a new run: write `record`, how it is cut up, the command, and whose program it was.

        Raises:
            FileExistsError: the folder holds a run already, or what is left of one.
            Occupied: another process owns it.
        """
        with self.owned():
            self.require_new()
            commit = {"git_commit": git_commit(), "git_dirty": git_dirty()}
            about = {"run": asdict(config), "command": list(command)} | commit | origin()
            save_record(self.config_file, record | about | {FOLDER: str(self.path)})

    def require_new(self) -> None:
        """Refuse a folder that holds a run already, or what is left of one.

        Raises:
            FileExistsError: it does.
        """
        if self.config_file.exists():
            message = f"{self.path} already holds a run: resume it, or choose another folder"
            raise FileExistsError(message)
        left = [file for file in (*self.files.all(), self.metrics_file) if file.exists()]
        if left:
            message = f"{left[0]} is of another run, whose {self.config_file.name} is lost"
            raise FileExistsError(f"{message}: remove it, or choose another folder")

    def load_config(self) -> dict[str, Any]:
        """Return what `begin` wrote, with the places of what lies elsewhere as they are now.

        Raises:
            FileNotFoundError: the folder is not a run.
            Damaged: the file says something else than what was written.
        """
        record = self._written()
        return found_again(record, record.get(FOLDER), self.path)

    def _written(self) -> dict[str, Any]:
        require_run(self.path)
        return record_of(self.files)

    def run_config(self) -> ConfigT:
        """Return how the run is cut up."""
        record = self.load_config()
        with fitting(self.config_file):
            return self.config_type(**record["run"])

    def extend(self, steps: int) -> ConfigT:
        """Record that the run is to have `steps` steps in all; return how it is cut up.

        Raises:
            ValueError: it was to have more already.
        """
        record = self._written()
        before = self.run_config().steps
        if steps < before:
            message = f"steps is {steps}: {self.path} was started with {before}"
            raise ValueError(f"{message}, expected at least as many")
        record["run"] |= {"steps": steps}
        save_record(self.config_file, record)
        return self.config_type(**record["run"])

    def check_sources(self, sources: Mapping[str, Source]) -> None:
        """Compare files outside of the folder with what they were when the run began.

        Raises:
            CheckpointError: one is another; both fingerprints are named.
        """
        begun = self.load_config().get("sources", {}) if self.config_file.exists() else {}
        for name, source in sources.items():
            now, then = source["sha256"], begun.get(name, source)["sha256"]
            if now != then:
                message = f"{source['path']} ({name}) is not what {self.path} was begun with"
                raise CheckpointError(f"{message}: its SHA-256 is {now}, and was {then}")

    # Checkpoints ---------------------------------------------------------------------------------

    def write(self, step: int, state: Mapping[str, Any], rows: Mark | None) -> None:
        """Write the checkpoint of a step, with what it counts on.

        Args:
            step: the number of steps so far.
            state: what training goes on from.
            rows: the mark of metrics.csv.
        """
        counted = {"record": self._record, "metrics_rows": rows} | origin()
        save_checkpoint(self.files.of_step(step), {**state, **counted})

    def newest(
        self,
        described: Mapping[str, Any],
        take: Callable[[Path, dict[str, Any]], object] = lambda file, state: None,
    ) -> dict[str, Any] | None:
        """Return the state of the last checkpoint, or, with a warning, of the last whole one.

        Args:
            described: what it has to say of the run.
            take: gets the file and its state; what it raises as `Damaged` counts as damage, too.

        Returns:
            The state; None where there is no checkpoint.

        Raises:
            Damaged: none of the checkpoints is whole.
            CheckpointError: one is of another run; both values are named.
        """
        self.clean()
        record = self._written() if self.config_file.exists() else None
        self._record = None if record is None else lasting(record)
        self._began = None if record is None else record.get(FOLDER)
        damage: list[Damaged] = []
        for file in reversed(self.files.list()):
            try:
                state = load_checkpoint(file)
                require_shapes(file, state)
                expected = described
                if record and CHANGES in record:
                    expected = described_at(described, record, int(file.stem))
                self._check(file, state, expected)
                take(file, state)
            except Damaged as error:
                damage.append(error)
                continue
            self._warn(file, state, damage)
            return state
        if damage:
            many = f"; none of {len(damage)} checkpoints is whole" if len(damage) > 1 else ""
            raise Damaged(f"{damage[0]}{many}")
        if record and PULLED in record:
            message = f"{self.path} was pulled from {record[PULLED]}, with its best weights alone"
            raise CheckpointError(f"{message}: train --init-from {self.path} begins with these")
        return None

    def has_best(self) -> bool:
        """Whether the best checkpoint is there and whole; if not, it is said, once.

        A damaged one is laid aside, so that the next evaluation makes another.
        """
        best = self.files.best
        try:
            load_checkpoint(best)
        except FileNotFoundError:
            lost = f"{best} is lost"
        except CheckpointError as error:
            best.replace(best.with_suffix(".damaged"))
            lost = str(error)
        else:
            return True
        warn(f"{lost}; the next evaluation makes another")
        return False

    def _check(self, file: Path, state: Mapping[str, Any], described: Mapping[str, Any]) -> None:
        """Compare a checkpoint with the run, with config.json, and with metrics.csv."""
        said = {name: state[name] for name in described if name in state}
        found = differences(described, found_again(said, self._began, self.path), file.name)
        self.require_own(file, state, found)
        if isinstance(state.get("metrics_rows"), dict):
            check_rows(self.metrics_file, int(file.stem), state["metrics_rows"])

    def require_own(self, file: Path, state: Mapping[str, Any], found: str = "") -> None:
        """Refuse a file that was written by another run, as it says itself, or as was `found`.

        Raises:
            CheckpointError: it was; both values are named.
        """
        recorded = state.get("record")
        if not found and self._record is not None and isinstance(recorded, dict):
            found = differences(self._record, recorded, file.name)
        if found:
            raise CheckpointError(f"{file} is of another run than {self.path} is now: {found}")

    def _warn(self, file: Path, state: Mapping[str, Any], damage: Sequence[Damaged]) -> None:
        """Tell what keeps the run from going on as it would have."""
        if damage:
            warn(f"{damage[0]}; going on from {file}")
        elsewhere = moved(
            state if "processor" in state else self._record or {}, self.libraries(state)
        )
        if elsewhere:
            message = f"{self.path} goes on, but not bit for bit as it would have"
            warn(f"{message}: {elsewhere}")
