"""What the tests of the commands share: scripts run, finished or interrupted, and their options."""

import atexit
import dataclasses
import functools
import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

from fresh_process import Nursery
from killable import last_row

ROOT = Path(__file__).resolve().parents[2]
TOLD = {"SDL_VIDEODRIVER": "dummy", "OMP_NUM_THREADS": "1"}
CLEAN = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


@functools.cache
def nursery():
    """What scripts are forked from: it has imported what they import of others."""
    drawing = ("matplotlib.figure", "matplotlib.backends.backend_agg", "PIL.Image", "tqdm")
    training = ("torch._dynamo", "torch.utils.tensorboard", "scipy.stats", "tyro")
    made = Nursery(*drawing, *training, options=(), env=CLEAN | TOLD)
    atexit.register(made.close)
    return made


def running_script(name, *arguments, cwd, path=()):
    """Begin `python scripts/NAME.py ARGUMENTS` in `cwd`, with `path` in PYTHONPATH, in a fork."""
    script = ROOT / "scripts" / f"{name}.py"
    code = "import runpy, sys; runpy.run_path(sys.argv[0], run_name='__main__')"
    argv = [str(script), *map(str, arguments)]
    return nursery().running(code, cwd, argv=argv, path=[str(script.parent), *map(str, path)])


def call_script(name, *arguments, cwd, path=()):
    """Run a script to its end, which is returned with what it printed."""
    with running_script(name, *arguments, cwd=cwd, path=path) as (_, end):
        return end()


def finished(home, folder, name, *arguments):
    """Run a script that makes `runs/FOLDER` in `home`: both, and what it printed."""
    result = call_script(name, *arguments, cwd=home)
    assert result.returncode == 0, result.stderr
    folder = home / "runs" / folder
    return SimpleNamespace(home=home, folder=folder, text=result.stdout, bar=result.stderr)


def interrupted(name, *arguments, folder, by=signal.SIGINT):
    """End a training by a signal once it has a row in `folder`; what it printed on its way out."""
    with running_script(name, *arguments, "--run", folder.name, cwd=folder.parent) as (child, end):
        deadline = time.monotonic() + 90
        try:
            while not last_row(folder):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            with suppress(ProcessLookupError):
                os.kill(child, by)
        done = end()
    assert done.returncode == 128 + by
    assert "Traceback" not in done.stderr
    assert (folder / "checkpoints" / "interrupted.pt").exists()
    assert re.search(r"interrupted at step [\d,]+", done.stdout)
    return done.stdout


def undocumented(options, positional):
    """The options of a command that docs/scripts.md does not name."""
    page = (ROOT / "docs" / "scripts.md").read_text(encoding="utf-8")
    names = {field.name.replace("_", "-") for field in dataclasses.fields(options)}
    return [name for name in sorted(names - positional) if f"--{name}" not in page]
