import math
import re
from dataclasses import dataclass
from pathlib import Path

from nets.benchmarks.quality import OfFile, Outcome, Row
from nets.glance import changed, in_a_line, in_a_table
from nets.supervised.search import Search, Trial


@dataclass(frozen=True)
class Config:
    hidden: tuple[int, ...] = (64,)
    rate: float = 0.1


def test_settings_that_are_not_the_defaults():
    assert changed(Config()) == {}
    assert changed(Config(rate=0.2)) == {"rate": 0.2}


def test_a_line_is_short_however_long_its_facts():
    assert in_a_line(Config(), {"a": 1, "b": "x"}) == "Config(a=1, b='x')"
    assert len(in_a_line(Config(), {"a": list(range(1000))})) < 80


def test_nothing_of_a_fact_is_taken_for_html():
    table = in_a_table(Config(), {"<i>": "<script>alert(1)</script>"})
    assert "<script" not in table
    assert "<i>" not in table
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in table


def test_a_search_shows_its_trials_the_best_first_and_escapes_them():
    trials = [
        Trial(0, {"lr": 0.1, "kind": "<b>"}, 2.0, Path()),
        Trial(1, {"lr": 0.2, "width": 8}, math.nan, Path()),
        Trial(2, {"lr": 0.3}, 1.0, Path()),
    ]
    cells = re.findall(
        r"<t[hd][^>]*>(.*?)</t[hd]>", Search(tuple(trials), "minimize")._repr_html_()
    )
    assert cells[:5] == ["trial", "value", "lr", "kind", "width"]
    assert [cells[k] for k in (5, 10, 15)] == ["2", "0", "1"]
    assert "&lt;b&gt;" in cells


def test_a_row_of_quality_shows_its_figures_and_whether_they_pass():
    row = Row("name", "what it is", OfFile("x", lambda file: None), reference=1.0, low=0.5)
    records = [{"result": {"figure": figure}} for figure in (0.25, 0.75, 1.0)]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", Outcome(row, records)._repr_html_())
    assert cells == ["name", "what it is", "0.75", "0.25", "1", "3", "1", "True"]
