"""What commands that train can be told of a run, whatever is trained: a new one, or an earlier."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeVar

import tyro

from ..kinds import Count, Whole
from ..settings import check
from ..tracking.names import TrackerName
from .figure_options import FigureOptions

Config = TypeVar("Config")
WarningSignal = Literal["SIGUSR1", "SIGUSR2", "SIGXCPU"]
"""A signal by which a scheduler says that it will soon end a process."""


@dataclass(frozen=True, kw_only=True)
class StartOptions(FigureOptions, Generic[Config]):
    """A new run."""

    config: Config
    """Settings of what is trained."""
    steps: Count
    """Length of the training."""
    seed: Whole = 0
    """Everything random follows from it."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; auto: the GPU where there is one."""
    run: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder of the run; by default a new one below runs/, named after what is trained."""
    eval_every: Annotated[Whole | None, tyro.conf.arg(metavar="N")] = None
    """Steps between evaluations, 0 for none; by default a twentieth of the run."""
    segment_steps: Annotated[Count | None, tyro.conf.arg(metavar="N")] = None
    """Steps between checkpoints, which is what a run loses that is ended from outside; part of the
    run, whose results depend on it."""
    checkpoint_on: WarningSignal | None = None
    """Signal that has checkpoints/interrupted.pt written, to look at, while training goes on."""
    track: TrackerName | None = None
    """Tracker that is told of the run, too (extras wandb, mlflow), whose own environment variables
    say whom it tells; tensorboard adds settings and results to the events."""


@dataclass(frozen=True)
class ResumeOptions(FigureOptions):
    """An earlier run."""

    resume: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """Folder of the run."""
    steps: Annotated[Count | None, tyro.conf.arg(metavar="N")] = None
    """Steps in all, to extend the run; by default what it was started with."""
    device: Literal["auto", "cpu", "cuda"] | None = None
    """Where to go on; by default where it was. Only there, on the CPU, are its bits the same."""
    checkpoint_on: WarningSignal | None = None
    """Signal that has checkpoints/interrupted.pt written, to look at, while training goes on."""
    track: TrackerName | None = None
    """Tracker to tell of the run, in the same tracked run as before where there is one."""
    trust: bool = False
    """Import whatever modules the run's environment, data and networks are of: their code runs."""

    def __post_init__(self) -> None:
        check(self)
