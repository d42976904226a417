"""The table of quality: runs that are kept, figures that pass, rows that need a file."""

import json
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import gymnasium as gym
import pytest

from agents.benchmarks import quality
from agents.benchmarks.experiments import Best, Trained
from generative.benchmarks.quality import ROWS as ROWS_OF_MODELS
from nets.benchmarks.command import main
from nets.benchmarks.quality import (
    Advantage,
    OfFile,
    Row,
    agrees,
    exactly,
    read_record,
    run_once,
    run_row,
)
from nets.benchmarks.timing import Need
from nets.settings import to_plain


def test_planning_reaches_every_known_value(tmp_path, capsys):
    names = ["value-iteration", "policy-iteration", "best"]
    assert main(["quality", "--only", *names, "--out", str(tmp_path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == 24
    for row in rows:
        assert row["figures"] == pytest.approx([row["reference"]], abs=1e-6)
    kept = json.loads((tmp_path / "best-lake" / "seed-0.json").read_text())
    assert kept["result"]["figure"] == pytest.approx(0.744190, abs=1e-6)
    assert kept["command"] == "python scripts/benchmark.py quality --only best-lake --seeds 1"
    assert {"commit", "config", "seed", "seconds", "versions"} <= kept.keys()


def test_results_are_kept_and_wrong_ones_are_run_again(tmp_path):
    short = Trained("q-learning", "dreamgym/Cliff-v0", "exact_return", steps=50)
    file = tmp_path / "row" / "seed-1.json"
    first = run_once("row", short, 1, tmp_path, "typed")
    file.write_text(json.dumps(first | {"seconds": -1.0}))
    assert run_once("row", short, 1, tmp_path, "typed")["seconds"] == -1.0  # not run again
    longer = replace(short, steps=20_000)
    again = run_once("row", longer, 1, tmp_path, "typed")
    assert again["config"]["steps"] == 20_000
    assert again["result"]["figure"] > first["result"]["figure"]
    unfinished = json.dumps({name: again[name] for name in ("seed", "config")})
    for torn in ("", "{", "[]", "{}", unfinished):
        file.write_text(torn)
        assert run_once("row", longer, 1, tmp_path, "typed")["result"] == again["result"]
    assert json.loads(file.read_text())["result"] == again["result"]


def test_settings_are_compared_as_json_keeps_them(tmp_path):
    experiment = Counted(sizes=(2, 3))
    for _ in range(2):
        assert run_once("row", experiment, 0, tmp_path, "typed")["config"]["sizes"] == [2, 3]
    assert experiment.ran == [0]


def test_a_run_is_told_by_its_settings():
    plain = Trained("q-learning", "dreamgym/Cliff-v0", "exact_return")
    assert plain.config()["settings"]["learning_rate"] == 0.5  # the preset's
    assert replace(plain, preset=False, steps=9).config()["settings"]["learning_rate"] == 0.1
    other = replace(plain, settings={"learning_rate": 0.25})
    assert other.config()["settings"] == plain.config()["settings"] | {"learning_rate": 0.25}
    assert replace(plain, statistic="online_return").config() != plain.config()
    with pytest.raises(ValueError, match="q-learning on Acrobot-v1 has no preset"):
        Trained("q-learning", "Acrobot-v1", "exact_return").config()


def test_an_advantage_is_a_difference_under_the_same_seed():
    better = Trained("q-learning", "dreamgym/Cliff-v0", "exact_return", steps=20_000)
    worse = replace(better, steps=50)
    result = Advantage(better, worse).run(3)
    assert result["figure"] == better.run(3)["figure"] - worse.run(3)["figure"] > 0


def test_what_passes():
    row = Row("name", "what", Best("dreamgym/Lake-v0"), 1.0, low=0.5, high=2.0)
    assert row.passes([0.4, 1.0, 2.1])
    assert not row.passes([0.4, 0.4, 1.0])
    assert not row.passes([2.1, 2.1, 1.0])
    every = replace(row, every_seed=True)
    assert every.passes([0.5, 1.0, 2.0])
    assert not every.passes([0.4, 1.0, 2.0])
    exact = exactly("name", "what", row.experiment, 14 / 17)
    assert exact.passes([0.823529])
    assert not exact.passes([0.823531])


def test_one_row_that_fails_is_told_by_the_exit_code(tmp_path, monkeypatch, capsys):
    rows = [replace(row, high=-14.0) if row.name == "best-cliff" else row for row in quality.ROWS]
    monkeypatch.setattr(quality, "ROWS", rows)
    assert main(["quality", "--only", "best", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().out.count("FAILED") == 1


def enter(monkeypatch, *rows):
    """Enter these rows instead of all others."""
    module = ModuleType("tests_rows")
    module.ROWS = rows
    monkeypatch.setitem(sys.modules, "tests_rows", module)
    point = EntryPoint("mine", "tests_rows:ROWS", "dreamgym.quality")
    monkeypatch.setattr("nets.benchmarks.measure.entry_points", lambda group: [point])


class Counted:
    """An experiment with two figures, which counts its runs."""

    def __init__(self, file="", **settings):
        self.settings, self.ran = {"file": str(file)} | settings, []

    def config(self):
        return self.settings

    def run(self, seed):
        self.ran.append(seed)
        return {"low": 1.0 + seed, "high": 10.0 + seed}


def test_rows_that_look_at_the_same_runs_share_them(tmp_path, monkeypatch, capsys):
    experiment = Counted()
    low = Row("mine/both-low", "low", experiment, 1.0, high=3.0, figure="low", runs="mine/both")
    high = replace(low, name="mine/both-high", high=10.5, figure="high")
    enter(monkeypatch, low, high)
    assert main(["quality", "--only", "mine", "--seeds", "3", "--out", str(tmp_path)]) == 1
    assert experiment.ran == [0, 1, 2]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["mine/both-low", "2.000000"],
        ["mine/both-high", "11.000000"],
    ]
    kept = json.loads((tmp_path / "mine" / "both" / "seed-2.json").read_text())
    assert kept["result"] == {"low": 3.0, "high": 12.0}
    assert kept["command"] == "python scripts/benchmark.py quality --only mine/both --seeds 3"


def test_a_row_that_needs_a_file_is_left_out_without_and_runs_with_it(
    tmp_path, monkeypatch, capsys
):
    row = Row("mine", "what", OfFile("a letter", Counted), 1.0, figure="low")
    enter(monkeypatch, row)
    words = ["quality", "--seeds", "1", "--out", str(tmp_path), "--json"]
    assert main(words) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["left_out"] == ["mine"]
    assert "mine is left out, needs a letter: --data FILE" in printed.err
    assert main([*words, "--data", "letter.txt"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["figures"] == [1.0]
    assert '"letter.txt"' in (tmp_path / "mine" / "seed-0.json").read_text()
    with pytest.raises(ValueError, match="mine needs a letter"):
        run_row(row, 1, tmp_path, lambda: None)


def test_a_row_that_needs_a_package_is_left_out_without(tmp_path, monkeypatch, capsys):
    row = Row("mine", "what", Counted(), 1.0, figure="low", needs=Need.of_module("no_such", "far"))
    enter(monkeypatch, row)
    assert main(["quality", "--seeds", "1", "--out", str(tmp_path), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["left_out"] == ["mine"]
    assert "mine is left out, needs no_such: pip install 'dreamgym[far]'" in printed.err


class Stopped(gym.Env):
    """A world in which somebody presses Ctrl-C at the fiftieth step."""

    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(2)
    steps = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        self.steps += 1
        if self.steps == 50:
            raise KeyboardInterrupt
        return 1, 0.0, self.steps % 5 == 0, False, {}


gym.register("Stopped-v0", Stopped)


@pytest.mark.parametrize("statistic", ["last_return", "best_return"])
def test_what_is_interrupted_leaves_no_result(statistic, tmp_path):
    experiment = Trained("q-learning", "Stopped-v0", statistic, 200, preset=False)
    with pytest.raises(KeyboardInterrupt):
        run_once("mine", experiment, 0, tmp_path, "")
    assert not (tmp_path / "mine").exists()


ELSEWHERE = ("dqn", "masks-ppo", "python-")  # agents' own tests train as long, or in minutes


@pytest.mark.slow
@pytest.mark.parametrize(
    "row",
    [
        row
        for row in quality.ROWS
        if row.seeded
        and not row.name.startswith(ELSEWHERE)
        and (row.needs is None or row.needs.there())
    ],
    ids=lambda row: row.name,
)
def test_tables_reach_what_is_known(row, tmp_path):
    outcomes = (run_row(row, seeds, tmp_path, lambda: None) for seeds in (1, 3))  # then the median
    assert any(outcome.passed for outcome in outcomes)


def test_quality_writes_its_table(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("<!-- quality -->\n<!-- /quality -->\n")
    words = ["quality", "--only", "best-lake", "--out", str(tmp_path / "results")]
    assert main([*words, "--write", str(page)]) == 0
    assert "| 0.744190 |  | 1 | 0.744190 | equal to 1e-6 | yes |" in page.read_text()
    assert "best-lake" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kept", "now", "same"),
    [
        ({"a": 1}, {"a": 1, "later": None}, True),
        ({"a": 1, "s": {"b": 2}}, {"a": 1, "s": {"b": 2, "later": "auto", "too": False}}, True),
        ({"a": 1}, {"a": 1, "later": True}, False),  # changes what is run
        ({"a": 1}, {"a": 1, "later": 1}, False),
        ({"a": 1}, {"a": 2, "later": None}, False),
        ({"a": 1, "gone": None}, {"a": 1}, False),  # nobody knows what it did
        ({"a": 1}, {}, False),
        (None, {}, False),
    ],
)
def test_settings_that_came_later_make_no_other_run_where_they_are_off(kept, now, same):
    assert agrees(kept, now) is same


def test_kept_figures_are_of_the_settings_of_today():
    """A setting that came later must not make everyone run everything again."""
    root, lost = Path(__file__).parents[2] / "results", []
    for row in (*ROWS_OF_MODELS, *quality.ROWS):
        if isinstance(row.experiment, OfFile):
            continue
        for file in (root / (row.runs or row.name)).glob("seed-*.json"):
            record = read_record(file)
            if not agrees(record["config"], to_plain(row.experiment.config())):
                lost.append(str(file.relative_to(root)))
    assert not lost
