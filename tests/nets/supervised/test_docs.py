"""docs/training.md: its examples run, and its tables name what there is."""

import inspect
import re
from pathlib import Path

import pytest

from nets.process.seeding import seeded
from nets.supervised.diagnose import REMEDIES
from nets.supervised.early_stopping import EarlyStopping
from nets.supervised.search import SAMPLERS

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "training.md").read_text(encoding="utf-8")
SECTIONS = {
    part.splitlines()[0]: re.findall(r"```python\n(.*?)```", part, re.DOTALL)
    for part in PAGE.split("\n## ")[1:]
}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_examples_of_a_section_run_in_order(section):
    if section == "Search":
        pytest.importorskip("optuna")
    names = {}
    with seeded(0):
        for block in SECTIONS[section]:
            exec(compile(block, f"docs/training.md, {section}", "exec"), names)


def test_the_example_of_transfer_runs():
    page = (DOCS / "transfer.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(block, "docs/transfer.md", "exec"), {})


def test_S_DIAG_01_the_page_names_every_gap_and_every_option():
    assert all(f"| {name}" in PAGE for name in REMEDIES)
    options = list(inspect.signature(EarlyStopping).parameters)
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == options
    assert all(f"`{name}`" in PAGE for name in SAMPLERS)
    assert "overfits when the gap" in PAGE
    assert "underfits when the training" in PAGE
