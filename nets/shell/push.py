"""Share a run on a model hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from .command_line import command, parse, refusals

TEXT = """Share a run on a model hub: weights, record, numbers, pictures, and a model card.

Who you are is asked of huggingface_hub: `hf auth login`, or HF_TOKEN; another hub is HF_ENDPOINT.

examples:
  {command} runs/ppo-CartPole-v1-s0 me/cartpole
  {command} runs/vae-digits-s0 me/digits --license cc-by-4.0 --private"""


@dataclass(frozen=True)
class PushOptions:
    """Which run, and where to."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder of the run."""
    repo: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="REPO")]
    """Repository, as NAME/REPOSITORY; it is made where there is none."""
    license: str = "mit"
    """Licence under which others may use it, as the hub calls it."""
    private: bool = False
    """Hide a new repository from others."""
    checkpoint: str | None = None
    """Name of a checkpoint, or "last"; by default the best."""
    trust: bool = False
    """Import whatever modules the run's environment and networks are of: their code runs."""


@command
def main(argv: list[str]) -> int:
    """Measure, write the card, and send all of it."""
    options = parse(PushOptions, "push", argv, TEXT)
    from ..hub.sharing import HubError, push

    with refusals(HubError, ValueError, ModuleNotFoundError):
        where = push(
            options.run,
            options.repo,
            licence=options.license,
            private=options.private,
            checkpoint=options.checkpoint,
            trust=options.trust,
        )
    print(f"shared under the licence {options.license}: {where}")
    return 0
