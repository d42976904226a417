"""Peers that live in an environment of their own: their packages and ours never meet."""

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from ..shell.command_line import CommandError
from .timing import Measure, Need


@dataclass(frozen=True)
class Apart:
    """A program that a Python with a peer's packages runs; its last word is the figure.

    Attributes:
        name: of the peer; its environment lies in `.venv-{name}`, here.
        packages: what pip installs there, with versions.
        program: run with the measure's words and the round's number.
        beside_ours: whether it also has what is installed here, torch above all.
    """

    name: str
    packages: tuple[str, ...]
    program: Path
    beside_ours: bool = False

    @property
    def need(self) -> Need:
        """The need of that environment, which can be fetched."""
        return Need(self.name, self._finished.exists, "--fetch-peers", self._make)

    def measure(self, *words: object) -> Measure:
        """Measure what the program prints last; a program that fails ends the command."""

        def measure(turn: int) -> float:
            command = [str(self._python), str(self.program), *map(str, words), str(turn)]
            one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=one_thread)
            if done.returncode:
                raise CommandError(f"the peer {self.name} failed, with the words above")
            return float(done.stdout.split()[-1])

        return measure

    @property
    def _folder(self) -> Path:
        return Path(f".venv-{self.name}").absolute()

    @property
    def _python(self) -> Path:
        return self._folder / "bin" / "python"

    @property
    def _finished(self) -> Path:
        return self._folder / "fetched"

    def _make(self) -> None:
        if self._finished.exists():
            return
        venv.create(self._folder, with_pip=True)
        if self.beside_ours:
            here = [path for path in sys.path if path.endswith("site-packages")]
            code = "import site; print(site.getsitepackages()[0])"
            asked = [str(self._python), "-c", code]
            there = subprocess.check_output(asked, text=True).strip()
            Path(there, "base.pth").write_text("\n".join(here))
        pip = [str(self._python), "-m", "pip", "install", "--quiet", *self.packages]
        subprocess.run(pip, check=True, stdout=sys.stderr)
        self._finished.touch()
