"""docs/nets.md: its examples run, its table is what the code says."""

import math
import re
from pathlib import Path

import pytest

from nets.layers.activations import ACTIVATIONS
from nets.process.seeding import seeded

PAGE = (Path(__file__).parents[2] / "docs" / "nets.md").read_text(encoding="utf-8")
SECTIONS = {
    part.splitlines()[0]: re.findall(r"```python\n(.*?)```", part, re.DOTALL)
    for part in PAGE.split("\n## ")[1:]
}


@pytest.mark.parametrize("section", [name for name, blocks in SECTIONS.items() if blocks])
def test_the_examples_of_a_section_run_in_order(section):
    names = {}
    with seeded(0):
        for block in SECTIONS[section]:
            exec(compile(block, f"docs/nets.md, {section}", "exec"), names)


def number(x):
    if math.isinf(x):
        return "∞" if x > 0 else "-∞"
    return f"{x:.4g}"


def row(name):
    a = ACTIVATIONS[name]
    cells = [f"`{name}`", a.formula, a.derivative, f"{number(a.low)} … {number(a.high)}"]
    return f"| {' | '.join([*cells, a.saturation, number(a.gain)])} |"


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_table_of_activations_is_what_the_code_says(name):
    assert row(name) in PAGE.splitlines()
