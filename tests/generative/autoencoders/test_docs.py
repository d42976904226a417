"""docs/generative/autoencoders.md: its examples run, its equations are in the code."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import generative
from generative.autoencoders.config import AAEConfig, BetaTCVAEConfig, BetaVAEConfig
from generative.model import ModelConfig
from nets.process.seeding import seeded

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "generative" / "autoencoders.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = [block for block in BLOCKS if "import" in block]
QUOTED = [block for block in BLOCKS if "import" not in block]


def test_the_examples_run():
    names = {}
    with seeded(0):
        for block in EXAMPLES:
            exec(compile(block, "docs/generative/autoencoders.md", "exec"), names)
    assert names["again"].shape == names["new"].shape == (16, 1, 8, 8)


@pytest.mark.parametrize("block", QUOTED)
def test_quoted_lines_are_those_of_the_code(block):
    folder = Path(generative.__file__).parent / "autoencoders"
    files = [folder / name for name in ("losses.py", "total_correlation.py")]
    code = "".join(file.read_text(encoding="utf-8") for file in files)
    for line in block.strip().splitlines():
        assert line in code


def test_every_setting_is_on_the_page():
    shared = {field.name for field in fields(ModelConfig)}
    for config in (AAEConfig, BetaVAEConfig, BetaTCVAEConfig):
        for field in fields(config):
            assert field.name in shared or f"`{field.name}`" in PAGE, field.name
