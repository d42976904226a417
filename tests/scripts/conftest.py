"""The commands as a person runs them: subprocesses, in a folder that is not the repository."""

import gc
import warnings

import imageio.v3 as iio
import pytest
from command_runs import call_script, finished


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
    return finished(
        tmp_path_factory.mktemp("learned"),
        "dqn-CartPole-v1-s0",
        "train",
        *("dqn", "CartPole-v1", "--steps", 1500, "--eval-every", 500),
        *("--config.learning-starts", 200, "--config.gradient-steps", 3),
    )


@pytest.fixture(scope="session")
def planned(tmp_path_factory):
    """The best policy on the cliff: thirteen steps along the edge, every time."""
    home, folder = tmp_path_factory.mktemp("planned"), "value-iteration-dreamgym-Cliff-v0-s0"
    return finished(home, folder, "train", "value-iteration", "dreamgym/Cliff-v0")
