"""The figures of the pages are those of the records in results/."""

import re
from pathlib import Path
from statistics import median

import pytest

from agents.benchmarks.quality import ROWS as ROWS_OF_AGENTS
from generative.benchmarks.quality import ROWS as ROWS_OF_MODELS
from nets.benchmarks.quality import Outcome, read_record
from nets.benchmarks.report import machine, quality_table

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
ROWS = {row.name: row for row in (*ROWS_OF_AGENTS, *ROWS_OF_MODELS)}
COMPARED = re.compile(r"\| \[[^]]*\]\([./]*results/compare/([\w-]+)/README\.md\)")
SPREAD = re.compile(r"([−\d.]+) (?:\(([−\d.]+) to ([−\d.]+)\)|\((all seeds|worst ([−\d.]+)))")


def records(folder):
    return [read_record(file) for file in sorted((RESULTS / folder).glob("seed-*.json"))]


def table_of_quality(page):
    return re.findall(r"^\| `([\w/.-]+)`: .* \|$", page.partition("<!-- quality -->")[2], re.M)


@pytest.mark.parametrize(
    "page",
    ["docs/benchmarks.md", "docs/generative/autoencoders.md", "results/generative/README.md"],
)
def test_a_table_of_quality_is_what_its_records_make(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    names = table_of_quality(text)
    assert len(names) > 20
    outcomes = [Outcome(row, records(row.runs or row.name)) for row in map(ROWS.get, names)]
    missing = set(quality_table(outcomes, machine(), "").splitlines()[3:]) - set(text.splitlines())
    assert not {line for line in missing if line.startswith("| `")}


def compared(page):
    """Return the rows of a page that show what was compared: where, and the other cells."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    rows = [(COMPARED.match(line), line) for line in text.splitlines()]
    return [(found[1], line.split(" | ")[1:]) for found, line in rows if found]


def figures(folder, contender):
    """Return the steps and the figure of every seed."""
    found = records(f"compare/{folder}/{contender}")
    name = "discounted_return" if folder == "PointMass" else "figure"
    return found[0]["run"]["steps"], [record["result"][name] for record in found]


def number(text):
    return float(text.replace("−", "-"))


def shows(text, value):
    """Whether a number of a page is this one, to the digits that are printed."""
    digits = len(text.partition(".")[2])
    return abs(number(text) - value) <= 0.5001 * 10.0**-digits


@pytest.mark.parametrize("name", ["a2c", "dqn", "ppo", "reinforce"])
def test_what_an_agent_reaches_is_the_median_and_range_of_its_records(name):
    rows = [row for row in compared(f"agents/{name}.md") if row[0] != "CartPole-DQN"]
    assert rows
    for folder, (steps, reached, *_) in rows:
        of, values = figures(folder, name)
        assert int(steps.replace(",", "")) == of, folder
        assert shows(re.match(r"[−\d.]+", reached)[0], median(values)), folder
        found = SPREAD.match(reached)
        low, high, all_seeds, worst = found.groups()[1:] if found else (None,) * 4
        assert low is None or (shows(low, min(values)) and shows(high, max(values))), folder
        assert all_seeds != "all seeds" or min(values) == max(values), folder
        assert worst is None or shows(worst, min(values)), folder


def test_what_was_compared_is_listed_with_the_medians_of_the_records():
    rows = compared("comparing.md")
    assert {folder for folder, _ in rows} == {
        folder.name for folder in (RESULTS / "compare").iterdir()
    } - {"CartPole-DQN"}
    for folder, (cell, _) in rows:
        found = re.findall(r"([A-Z]\w+) (−?[\d.]+), ([\d,]+)", cell)
        assert found
        for agent, value, steps in found:
            of, values = figures(folder, agent.lower())
            assert int(steps.replace(",", "")) == of, (folder, agent)
            assert shows(value, median(values)), (folder, agent)
