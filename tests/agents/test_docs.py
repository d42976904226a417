"""The examples of the pages on agents run, and reach in results/ what the pages say."""

import re
from pathlib import Path

import pytest

from agents.benchmarks.quality import ROWS
from nets.benchmarks.quality import read_record
from nets.settings import to_plain

ROOT = Path(__file__).parents[2]


def test_the_examples_of_own_networks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "agents" / "own-networks.md").read_text(encoding="utf-8")
    names = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/agents/own-networks.md", "exec"), names)


EXAMPLES = [row for row in ROWS if row.name.startswith("python-")]


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row.name)
def test_an_example_reached_what_it_has_to_with_the_settings_of_today(row):
    records = [read_record(ROOT / "results" / row.name / f"seed-{seed}.json") for seed in range(3)]
    assert row.passes([record["result"]["figure"] for record in records])
    now = to_plain(row.experiment.config())
    for record in records:
        then = record["config"]
        assert then["settings"].items() <= now["settings"].items()
        assert {name: then[name] for name in now if name != "settings"} == {
            name: now[name] for name in now if name != "settings"
        }
