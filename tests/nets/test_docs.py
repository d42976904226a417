"""docs/nets.md: its table is what the code says."""

import math
from pathlib import Path

import pytest

from nets.layers.activations import ACTIVATIONS

PAGE = (Path(__file__).parents[2] / "docs" / "nets.md").read_text(encoding="utf-8")


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
