"""docs/generative/gans.md and metrics.md: examples run, quoted lines and settings are true."""

import re
from pathlib import Path

import pytest

from generative.gans.minimax import DCGANConfig, GANConfig
from generative.gans.wasserstein import WGANGPConfig
from nets.process.seeding import seeded

ROOT = Path(__file__).parents[3]
PAGES = {
    name: (ROOT / f"docs/generative/{name}.md").read_text("utf-8") for name in ("gans", "metrics")
}
SOURCE = "".join(
    path.read_text(encoding="utf-8")
    for path in [ROOT / "generative/gans/losses.py", *(ROOT / "generative/metrics").glob("*.py")]
)


@pytest.mark.parametrize("name", PAGES)
def test_blocks_with_imports_run_and_the_others_are_lines_of_the_code(name):
    blocks = re.findall(r"```python\n(.*?)```", PAGES[name], re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        if "import" in block:
            with seeded(0):
                exec(compile(block, f"docs/generative/{name}.md", "exec"), {})
        else:
            for line in block.splitlines():
                assert line.strip() in SOURCE, line


def shown(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(shown, value))
    if isinstance(value, float):
        return f"{value:.0e}".replace("e-0", "e-") if 0 < value < 0.01 else f"{value:g}"
    return str(value)


def test_the_settings_of_the_page_are_the_defaults():
    (settings,) = (part for part in PAGES["gans"].split("\n## ") if part.startswith("Settings"))
    table = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|", settings, re.MULTILINE)
    assert len(table) >= 10
    for name, *cells in table:
        for config, cell in zip((GANConfig, DCGANConfig, WGANGPConfig), cells, strict=True):
            assert cell == shown(getattr(config(), name, "-")), (name, config.__name__)
