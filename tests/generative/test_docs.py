"""docs/generative.md: its examples run, its table names every shared setting."""

import re
from dataclasses import fields
from pathlib import Path

from generative.catalogue import MODELS
from generative.model import ModelConfig
from nets.process.seeding import seeded

PAGE = (Path(__file__).parents[2] / "docs" / "generative.md").read_text(encoding="utf-8")


def test_the_examples_run_in_order():
    names = {"__name__": "examples"}
    with seeded(0):
        for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
            exec(compile(block, "docs/generative.md", "exec"), names)
    assert names["pictures"].shape == (16, 1, 8, 8)


def test_every_shared_setting_and_every_model_is_on_the_page():
    for name in [field.name for field in fields(ModelConfig)] + list(MODELS):
        assert f"`{name}`" in PAGE, name


def test_linked_pages_exist():
    folder = Path(__file__).parents[2] / "docs"
    for link in re.findall(r"\]\(([^)#:]+\.md)", PAGE):
        assert (folder / link).exists(), link


def test_the_examples_of_dreams_run_in_order():
    page = (Path(__file__).parents[2] / "docs/generative/worlds.md").read_text(encoding="utf-8")
    names = {"__name__": "examples"}
    with seeded(0):
        for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
            exec(compile(block, "docs/generative/worlds.md", "exec"), names)
    assert names["many"].reset(seed=0)[0].shape == (256,)
    assert names["observation"].shape == (8,)
