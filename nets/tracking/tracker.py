"""What every tracker takes, whoever's it is, and who makes which."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .names import TrackerName

Plain = bool | int | float | str


class Begun(NamedTuple):
    """Which training is to be told of.

    Attributes:
        folder: of the run; what a tracker writes on this machine lies there.
        id: by which the tracker knows it; None where it has not seen it yet.
        step: at which it begins, or goes on; what was told of later steps does not hold.
        name: what people call it.
    """

    folder: Path
    id: str | None
    step: int
    name: str


class Tracker(Protocol):
    """One training, as a tracker holds it."""

    id: str | None
    """By which the tracker knows it again; None where it lies in the folder alone."""
    where: str
    """Where people find it."""

    def settings(self, settings: Mapping[str, Plain]) -> None:
        """Tell what is trained, and how."""

    def scalars(self, step: int, metrics: Mapping[str, float]) -> None:
        """Tell a row of numbers."""

    def pictures(self, step: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        """Show pictures `[H, W, 3]`."""

    def results(self, step: int, figures: Mapping[str, float]) -> None:
        """Tell what came out in the end."""

    def media(self, step: int, file: Path) -> None:
        """Show a picture or an animation."""

    def close(self) -> None:
        """Tell the rest, and that it has ended."""


_HOMES: dict[TrackerName, tuple[str, str]] = {
    "tensorboard": (".events", "Events"),
    "wandb": (".wandb_run", "WandbRun"),
    "mlflow": (".mlflow_run", "MlflowRun"),
}


def open_tracker(name: TrackerName, begun: Begun) -> Tracker:
    """Return the tracker called `name`, told which training begins or goes on."""
    module, kind = _HOMES[name]
    make: Callable[[Begun], Tracker] = getattr(import_module(module, __package__), kind)
    return make(begun)
