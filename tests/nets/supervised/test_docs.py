"""docs/training.md: its tables name what there is."""

import inspect
import re
from pathlib import Path

from nets.supervised.diagnose import REMEDIES
from nets.supervised.early_stopping import EarlyStopping
from nets.supervised.search import SAMPLERS

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "training.md").read_text(encoding="utf-8")


def test_S_DIAG_01_the_page_names_every_gap_and_every_option():
    assert all(f"| {name}" in PAGE for name in REMEDIES)
    options = list(inspect.signature(EarlyStopping).parameters)
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == options
    assert all(f"`{name}`" in PAGE for name in SAMPLERS)
    assert "overfits when the gap" in PAGE
    assert "underfits when the training" in PAGE
