"""A run is a folder: everything that training leaves, and all it takes to go on or to sample."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nets.runs.checkpoint import load_checkpoint, save_checkpoint
from nets.runs.checkpoints import Checkpoints
from nets.runs.record import RunRecord
from nets.settings import Count, Part, Settings, Whole

from ..model import KIND

KEPT_CHECKPOINTS = 3


@dataclass(frozen=True)
class RunConfig(Settings):
    """How a run is cut up; part of the run, since results depend on it."""

    steps: Whole
    """Turns of all players in the whole run."""
    segment_steps: Count
    """Steps between checkpoints."""
    log_every: Count
    """Steps between rows of metrics.csv."""
    eval_every: Whole
    """Steps between measurements of the held-out rows; 0 for none."""
    draw_every: Whole
    """Steps between pictures; 0 for none before the end."""
    held_out: Part = 0.1
    """Share of the rows that training never sees."""
    threads: Count = 1
    """CPU threads of torch while training."""

    @classmethod
    def default(cls, steps: int, **settings: Any) -> "RunConfig":
        """Choose lengths that suit a training of `steps` steps; `settings` but None override."""
        lengths = {
            "segment_steps": min(max(steps // 10, 1), 5000),
            "log_every": min(max(steps // 200, 1), 500),
            "eval_every": max(steps // 20, 1),
            "draw_every": max(steps // 10, 1),
        }
        given = {name: value for name, value in settings.items() if value is not None}
        return cls(steps=steps, **(lengths | given))


class RunFolder:
    """`runs/<name>/`: config.json, checkpoints/, best/, metrics.csv, events, pictures."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.record = RunRecord(self.path)
        self.files = Checkpoints(self.path, KEPT_CHECKPOINTS)
        self.metrics_file = self.path / "metrics.csv"
        self.samples = self.path / "samples.png"
        self.reconstructions = self.path / "reconstructions.png"
        self.traversals = self.path / "traversals.png"
        self.curve = self.path / "curve.png"

    def create(
        self, record: dict[str, Any], config: RunConfig, command: Sequence[str] = ()
    ) -> None:
        """Begin a new run of what `record` describes.

        Raises:
            FileExistsError: the folder holds a run already.
        """
        self.record.create({"kind": KIND} | record | {"run": asdict(config)}, command)

    def load_config(self) -> dict[str, Any]:
        """Return what `create` recorded.

        Raises:
            FileNotFoundError: the folder is not a run.
            ValueError: it is a run of something else.
        """
        record = self.record.load()
        if record.get("kind") != KIND:
            raise ValueError(f"{self.path} is not a run of a generative model")
        return record

    def run_config(self) -> RunConfig:
        """Return the recorded settings."""
        return RunConfig(**self.load_config()["run"])

    def extend(self, steps: int) -> RunConfig:
        """Record that the run is to have `steps` steps in all, and return its settings.

        Raises:
            ValueError: it was to have more already.
        """
        return RunConfig(**self.record.extend(steps))

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Write the checkpoint of a step, then remove those that are too old."""
        save_checkpoint(self.files.of_step(step), state)
        self.files.prune()

    def last_state(self) -> dict[str, Any] | None:
        """Clean up after a killed process; return the state of the last checkpoint, if any.

        Raises:
            CheckpointError: it is damaged.
        """
        self.files.clean()
        self.files.prune()
        files = self.files.list()
        return load_checkpoint(files[-1]) if files else None
