"""Bring a run here that somebody has shared on a model hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from .command_line import command, parse, refusals
from .here import shown

TEXT = """Bring a run here that somebody has shared on a model hub: it is looked through, not run.

examples:
  {command} me/cartpole
  {command} somebody/digits runs/theirs --revision v1"""


@dataclass(frozen=True)
class PullOptions:
    """Which run, and where to."""

    repo: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="REPO")]
    """Repository, as NAME/REPOSITORY."""
    folder: Annotated[tyro.conf.Positional[Path | None], tyro.conf.arg(metavar="DIR")] = None
    """Folder of the run; by default runs/REPOSITORY."""
    revision: str | None = None
    """Branch, tag or commit; by default the newest."""


@command
def main(argv: list[str]) -> int:
    """Fetch, look through, and say what can be done with it."""
    options = parse(PullOptions, "pull", argv, TEXT)
    from ..hub.sharing import HubError, pull

    with refusals(HubError, ValueError, ModuleNotFoundError):
        run = pull(options.repo, options.folder, revision=options.revision)
    print(f"pulled {options.repo} into {shown(run)}; its card: {shown(run / 'README.md')}")
    return 0
