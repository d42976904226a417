"""What the tests of the commands share: scripts run, finished or interrupted, and their options."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from killable import last_row

ROOT = Path(__file__).resolve().parents[2]
CLEAN = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def call_script(name, *arguments, cwd, **environment):
    """Run `python scripts/NAME.py ARGUMENTS` in `cwd`; a value of None unsets a variable."""
    env = CLEAN | {"SDL_VIDEODRIVER": "dummy", "OMP_NUM_THREADS": "1"} | environment
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / f"{name}.py", *map(str, arguments)],
        cwd=cwd,
        env={key: value for key, value in env.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=120,
    )


def finished(home, folder, name, *arguments):
    """Run a script that makes `runs/FOLDER` in `home`: both, and what it printed."""
    result = call_script(name, *arguments, cwd=home)
    assert result.returncode == 0, result.stderr
    folder = home / "runs" / folder
    return SimpleNamespace(home=home, folder=folder, text=result.stdout, bar=result.stderr)


def interrupted(name, *arguments, folder, by=signal.SIGINT):
    """End a training by a signal once it has a row in `folder`; what it printed on its way out."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "scripts" / f"{name}.py", *arguments, "--run", folder.name],
        cwd=folder.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 90
    while not last_row(folder):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(by)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + by
    assert "Traceback" not in err
    assert (folder / "checkpoints" / "interrupted.pt").exists()
    assert re.search(r"interrupted at step [\d,]+", out)
    return out


def undocumented(options, positional):
    """The options of a command that docs/scripts.md does not name."""
    page = (ROOT / "docs" / "scripts.md").read_text(encoding="utf-8")
    names = {field.name.replace("_", "-") for field in dataclasses.fields(options)}
    return [name for name in sorted(names - positional) if f"--{name}" not in page]
