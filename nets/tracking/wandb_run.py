"""Weights & Biases as a tracker.

Who is told, and whether at once, is theirs to be asked by: `wandb login`, and the variables
`WANDB_MODE` (`offline` tells nobody, until `wandb sync`), `WANDB_PROJECT`, `WANDB_ENTITY`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

import numpy as np
import wandb
from numpy.typing import NDArray

from .tracker import Begun, Plain

PROJECT = "dreamgym"


class WandbRun:
    """A training as one run of a project; an id makes it the same again."""

    def __init__(self, begun: Begun) -> None:
        os.environ.setdefault("WANDB_DISABLE_WEAVE", "true")  # it takes our `agents` for OpenAI's
        self.id: str = begun.id or token_hex(4)
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=begun.name,
            id=self.id,
            resume="allow",
            dir=begun.folder,
            settings=wandb.Settings(console="off", silent=True),
        )
        here = str(Path(self._run.dir).parent)
        self.where = here if self._run.offline else self._run.url or here
        # by steps of ours, which a resumed run repeats; their own only ever grow
        self._run.define_metric("*", step_metric="step")

    def settings(self, settings: Mapping[str, Plain]) -> None:
        """Update the run's config."""
        self._run.config.update(dict(settings), allow_val_change=True)

    def scalars(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log a row."""
        self._run.log({"step": step, **metrics})

    def pictures(self, step: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        """Log pictures `[H, W, 3]`."""
        shown = {name: wandb.Image(picture) for name, picture in pictures.items()}
        self._run.log({"step": step, **shown})

    def results(self, step: int, figures: Mapping[str, float]) -> None:
        """Write figures into the run's summary."""
        self._run.summary.update(dict(figures))

    def media(self, step: int, file: Path) -> None:
        """Log a picture, or an animation as a film."""
        moves = file.suffix in (".gif", ".mp4")
        shown = wandb.Video(str(file)) if moves else wandb.Image(str(file))
        self._run.log({"step": step, file.stem: shown})

    def close(self) -> None:
        """End the run."""
        self._run.finish()
