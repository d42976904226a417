"""docs/generative/gans.md: the settings of its table are the defaults."""

import re
from pathlib import Path

from generative.gans.minimax import DCGANConfig, GANConfig
from generative.gans.wasserstein import WGANGPConfig

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/generative/gans.md").read_text("utf-8")


def shown(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(shown, value))
    if isinstance(value, float):
        return f"{value:.0e}".replace("e-0", "e-") if 0 < value < 0.01 else f"{value:g}"
    return str(value)


def test_the_settings_of_the_page_are_the_defaults():
    (settings,) = (part for part in PAGE.split("\n## ") if part.startswith("Settings"))
    table = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|", settings, re.MULTILINE)
    assert len(table) >= 10
    for name, *cells in table:
        for config, cell in zip((GANConfig, DCGANConfig, WGANGPConfig), cells, strict=True):
            assert cell == shown(getattr(config(), name, "-")), (name, config.__name__)
