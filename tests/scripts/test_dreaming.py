"""`scripts/dreaming.py`: collect, learn the world, learn inside, measure outside."""

import json
import runpy
from pathlib import Path

import pytest

from tests.helpers.learning import best_of

SCRIPT = Path(__file__).parents[2] / "scripts" / "dreaming.py"


@pytest.fixture(scope="module")
def dreaming():
    """What the script defines."""
    return runpy.run_path(str(SCRIPT), run_name="dreaming")


def figures(dreaming, out, *words):
    """Run the command, and return the figures of its only seed."""
    assert dreaming["main"]([*words, "--out", str(out)]) == 0
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
    assert "model-free in as many" in told
    assert figures(dreaming, tmp_path, *lake) == found  # which is kept, not run again


def test_wrong_dreams_teach_nothing(dreaming, tmp_path):
    """Actions of other moments, of the moment before, and rewards of zero, on the lake."""
    lake = ["dreamgym/Lake-v0", "--first-seed", "1", "--controls"]
    found = figures(dreaming, tmp_path, *lake)
    assert found["rounds"][0]["real_return"] > 0.6  # 0.74 is the best there is
    assert set(found["controls"]) == {"shuffled", "shifted", "no_rewards"}
    assert all(one["real_return"] < 0.3 for one in found["controls"].values())


@pytest.mark.slow
def test_dreams_teach_to_balance_a_pole(dreaming, tmp_path):
    """2,000 random steps, of 21 on average, are enough to balance it for 450 of 500."""

    def real_return(seed):
        words = ["CartPole-v1", "--rounds", "1", "--first-seed", str(seed)]
        return figures(dreaming, tmp_path / str(seed), *words)["rounds"][0]["real_return"]

    assert best_of(real_return, 450.0) >= 450.0
