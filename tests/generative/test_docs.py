"""docs/generative.md: its table names every shared setting."""

import re
from dataclasses import fields
from pathlib import Path

from generative.catalogue import MODELS
from generative.model import ModelConfig

PAGE = (Path(__file__).parents[2] / "docs" / "generative.md").read_text(encoding="utf-8")


def test_every_shared_setting_and_every_model_is_on_the_page():
    for name in [field.name for field in fields(ModelConfig)] + list(MODELS):
        assert f"`{name}`" in PAGE, name


def test_linked_pages_exist():
    folder = Path(__file__).parents[2] / "docs"
    for link in re.findall(r"\]\(([^)#:]+\.md)", PAGE):
        assert (folder / link).exists(), link
