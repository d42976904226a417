"""Check that a run's folder is whole: files, checksums, and whether they are of one run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from .command_line import command, parse, refusals
from .here import as_seen, shown

FOUND = 1
TEXT = """Check that a run's folder is whole, as PRAGMA integrity_check does a database.

Every file is read; checkpoints are compared with config.json, with the rows of metrics.csv and
with the rows of replay that they need. Nothing is changed. The exit code is 1 if anything is wrong.

examples:
  {command} runs/dqn-CartPole-v1-s0
  {command} runs                          all runs below"""


@dataclass(frozen=True)
class VerifyOptions:
    """Which folder."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder of a run, or of several."""


@command
def main(argv: list[str]) -> int:
    """Print `ok`, or what is wrong, for each run."""
    options = parse(VerifyOptions, "verify", argv, TEXT)
    from ..runs.integrity import problems, run_folders

    code = 0
    with refusals():
        for run in run_folders(options.folder):
            found = [as_seen(problem) for problem in problems(run)]
            print("\n".join(f"{shown(run)}: {said}" for said in found or ["ok"]), flush=True)
            code = FOUND if found else code
    return code
