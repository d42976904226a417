"""docs/generative/autoencoders.md: every setting is on the page."""

from dataclasses import fields
from pathlib import Path

from generative.autoencoders.config import AAEConfig, BetaTCVAEConfig, BetaVAEConfig
from generative.model import ModelConfig

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "generative" / "autoencoders.md").read_text(encoding="utf-8")


def test_every_setting_is_on_the_page():
    shared = {field.name for field in fields(ModelConfig)}
    for config in (AAEConfig, BetaVAEConfig, BetaTCVAEConfig):
        for field in fields(config):
            assert field.name in shared or f"`{field.name}`" in PAGE, field.name
