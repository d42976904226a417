"""The example of a run folder goes on; examples reach in results/ what the pages say."""

import re
from pathlib import Path
from statistics import median

import pytest

import agents
from agents.benchmarks.quality import ROWS
from nets.benchmarks.quality import read_record
from nets.runs.integrity import problems
from nets.settings import to_plain

ROOT = Path(__file__).parents[2]
EXAMPLES = {row.name: row for row in ROWS if row.name.startswith("python-")}
SAID = re.compile(r"results/(python-[\w-]+)\)\s([−\d.]+)\s\(([−\d.]+)\sto\s([−\d.]+)\)")


def test_the_example_of_a_run_folder_makes_one_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(import agents\n\nrun = .*?)```", page, re.DOTALL)
    names = {}
    for _ in range(2):
        exec(compile(block, "docs/agents.md", "exec"), names)
        assert [*problems(tmp_path / "runs" / "pole")] == []
        assert names["best"].steps <= 4000 == names["agent"].steps
    agents.Trainer(names["agent"], names["run"], progress=False).run(
        names["run"].extend(5000).steps
    )
    assert names["agent"].steps >= 5000


def records(name):
    return [read_record(ROOT / "results" / name / f"seed-{seed}.json") for seed in range(3)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_reached_what_it_has_to_with_the_settings_of_today(name):
    row, kept = EXAMPLES[name], records(name)
    assert row.passes(record["result"]["figure"] for record in kept)
    now = to_plain(row.experiment.config())
    for record in kept:
        then = record["config"]
        assert then["settings"].items() <= now["settings"].items()  # others have come since
        assert then | {"settings": None} == now | {"settings": None}


def test_the_pages_say_what_their_examples_reached():
    pages = [ROOT / "README.md", *(ROOT / "docs" / "agents").glob("*.md")]
    found = [said for page in pages for said in SAID.findall(page.read_text(encoding="utf-8"))]
    assert {name for name, *_ in found} == EXAMPLES.keys()
    for name, *figures in found:
        reached = [record["result"]["figure"] for record in records(name)]
        expected = [round(figure, 1) for figure in (median(reached), min(reached), max(reached))]
        assert [float(figure.replace("−", "-")) for figure in figures] == expected
