"""`scripts/dreaming.py`: collect, learn the world, learn inside, measure outside."""

import importlib.util
import json
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from tests.helpers.learning import best_of

SCRIPT = Path(__file__).parents[2] / "scripts" / "dreaming.py"


@pytest.fixture(scope="module")
def dreaming():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("dreaming", SCRIPT)
    module = sys.modules["dreaming"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["dreaming"]


def figures(dreaming, out, *words):
    """Run the command, and return the figures of its only seed."""
    assert dreaming.main([*words, "--out", str(out)]) == 0
    (file,) = out.rglob("seed-*.json")
    return json.loads(file.read_text(encoding="utf-8"))["result"]


def test_rounds_are_measured_beside_model_free_learning(dreaming, tmp_path, capsys):
    lake = ["dreamgym/Lake-v0", "--collect", "1500", "--rounds", "2"]
    found = figures(dreaming, tmp_path, *lake)
    assert [one["real_steps"] for one in found["rounds"]] == [1500, 3000]
    for one in found["rounds"]:
        assert one["truth"]["total_variation"] < 0.25
        assert one["dream_return"] > 0.2
    assert found["random"] < 0.1
    told = capsys.readouterr().out
    assert told.count("model-free in as many") == 2
    assert figures(dreaming, tmp_path, *lake) == found  # which is kept, not run again
    (picture,) = tmp_path.rglob("returns.png")
    assert np.asarray(iio.imread(picture)).std() > 20


def test_arguments_and_settings_of_a_world_are_in_the_record(dreaming, tmp_path):
    """A seed that was run otherwise is run again."""
    words = ["dreamgym/Catch-v0", "--env.obs", "board", "--config.model", "rssm", "--collect", "50"]
    words += ["--config.hidden", "8", "--config.memory", "8", "--fit-steps", "2"]
    found = figures(dreaming, tmp_path, *words, "--dream-steps", "300")
    (file,) = tmp_path.rglob("seed-0.json")
    config = json.loads(file.read_text(encoding="utf-8"))["config"]
    assert config["arguments"] == {"obs": "board"}
    assert (config["config"]["model"], config["config"]["hidden"]) == ("rssm", 8)
    assert found["rounds"][0]["truth"]["error_1"] > 0.5


def test_wrong_dreams_teach_nothing(dreaming, tmp_path):
    """Actions of other moments, of the moment before, and rewards of zero, on the lake."""
    lake = ["dreamgym/Lake-v0", "--first-seed", "1", "--controls"]
    found = figures(dreaming, tmp_path, *lake)
    assert found["rounds"][-1]["real_return"] > 0.6  # 0.74 is the best there is
    assert set(found["controls"]) == {"shuffled", "shifted", "no_rewards"}
    assert all(one["real_return"] < 0.3 for one in found["controls"].values())


@pytest.mark.slow
def test_dreams_teach_to_balance_a_pole(dreaming, tmp_path):
    """2,000 random steps, of 21 on average, are enough to balance it for 450 of 500."""

    def real_return(seed):
        words = ["CartPole-v1", "--rounds", "1", "--first-seed", str(seed)]
        return figures(dreaming, tmp_path / str(seed), *words)["rounds"][0]["real_return"]

    assert best_of(real_return, 450.0) >= 450.0
