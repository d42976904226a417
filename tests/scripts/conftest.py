"""The commands as a person runs them: subprocesses, in a folder that is not the repository."""

import gc
import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import imageio.v3 as iio
import pytest

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


@pytest.fixture(scope="session")
def call():
    return call_script


@pytest.fixture
def read_film():
    """Return the frames `[T, H, W, 3]` and the rate of an .mp4."""

    def read(path):
        with warnings.catch_warnings():
            # imageio leaves the pipes of its ffmpeg to the garbage collector
            warnings.simplefilter("ignore", ResourceWarning)
            frames, rate = iio.imread(path), iio.immeta(path)["fps"]
            gc.collect()
        return frames, rate

    return read


@pytest.fixture
def run_in(tmp_path, monkeypatch):
    """Call a command of this process in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def learned(tmp_path_factory):
    """A short run of DQN: its home, its folder and what the command printed."""
    home = tmp_path_factory.mktemp("learned")
    result = call_script(
        "train",
        *("dqn", "CartPole-v1", "--steps", 1500, "--eval-every", 500),
        *("--config.learning-starts", 200, "--config.gradient-steps", 3),
        cwd=home,
    )
    assert result.returncode == 0, result.stderr
    folder = home / "runs" / "dqn-CartPole-v1-s0"
    return SimpleNamespace(home=home, folder=folder, text=result.stdout, bar=result.stderr)


@pytest.fixture(scope="session")
def planned(tmp_path_factory):
    """The best policy on the cliff: thirteen steps along the edge, every time."""
    home = tmp_path_factory.mktemp("planned")
    result = call_script("train", "value-iteration", "dreamgym/Cliff-v0", cwd=home)
    assert result.returncode == 0, result.stderr
    folder = home / "runs" / "value-iteration-dreamgym-Cliff-v0-s0"
    return SimpleNamespace(home=home, folder=folder, text=result.stdout)
