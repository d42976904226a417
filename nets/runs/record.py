"""config.json of a run: all that it takes to repeat the run, or to go on with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .checkpoint import load_json, save_json
from .provenance import git_commit, versions


class RunRecord:
    """What was recorded at the start of the run in `folder`; `"run"` says how it is cut up."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "config.json"

    def create(self, record: dict[str, Any], command: Sequence[str]) -> None:
        """Begin a new run: write `record`, the command, and where the program came from.

        Raises:
            FileExistsError: the folder holds a run already.
        """
        if self.file.exists():
            message = f"{self.folder} already holds a run: resume it, or choose another folder"
            raise FileExistsError(message)
        origin = {"command": list(command), "git_commit": git_commit(), "versions": versions()}
        save_json(self.file, record | origin)

    def load(self) -> dict[str, Any]:
        """Return what `create` recorded.

        Raises:
            FileNotFoundError: the folder is not a run.
        """
        if not self.file.exists():
            raise FileNotFoundError(f"{self.folder} is not a run folder: it has no config.json")
        return load_json(self.file)

    def extend(self, steps: int) -> dict[str, Any]:
        """Record that the run is to have `steps` steps in all; return the settings of the run.

        Raises:
            ValueError: it was to have more already.
        """
        record = self.load()
        before = record["run"]["steps"]
        if steps < before:
            message = f"steps is {steps}: {self.folder} was started with {before}"
            raise ValueError(f"{message}, expected at least as many")
        record["run"] |= {"steps": steps}
        save_json(self.file, record)
        return record["run"]
