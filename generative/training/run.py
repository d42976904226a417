"""A run is a folder: everything that training leaves, and all it takes to go on or to sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nets.arguments import checked
from nets.kinds import Part, Threads, Whole
from nets.runs import folder
from nets.runs.metrics import Mark

from ..model import KIND


@dataclass(frozen=True)
class RunConfig(folder.RunConfig):
    """How a run is cut up, in turns of all players; part of the run, since results depend on it."""

    draw_every: Whole
    """Steps between pictures; 0 for none before the end."""
    held_out: Part = 0.1
    """Share of the rows that training never sees."""
    threads: Threads = 1
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


class RunFolder(folder.RunFolder[RunConfig]):
    """`runs/<name>/` of a generative model: with pictures of what it makes."""

    config_type = RunConfig
    pictures = (
        *folder.RunFolder.pictures,
        "samples.png",
        "reconstructions.png",
        "traversals.png",
        "dreams.png",
    )

    @checked
    def create(
        self, record: dict[str, Any], config: RunConfig, command: Sequence[str] = ()
    ) -> None:
        """Begin a new run of what `record` describes.

        Raises:
            FileExistsError: the folder holds a run already.
            Occupied: another process owns it.
        """
        self.begin({"kind": KIND} | record, config, command)

    def load_config(self) -> dict[str, Any]:
        """Return what `create` recorded.

        Raises:
            FileNotFoundError: the folder is not a run.
            ValueError: it is a run of something else.
        """
        record = super().load_config()
        if record.get("kind") != KIND:
            of = ": it is one of an agent" if "algorithm" in record else ""
            raise ValueError(f"{self.path} is not a run of a generative model{of}")
        return record

    def write(self, step: int, state: Mapping[str, Any], rows: Mark | None) -> None:
        """Write the checkpoint of a step, then remove those that are too old."""
        super().write(step, state, rows)
        self.files.prune()
