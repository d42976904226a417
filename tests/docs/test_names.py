"""Modules, names in them, and files that the sentences of a page name are there."""

import re
from importlib import import_module

import pytest
from printed_blocks import PAGES, ROOT

BLOCKS = re.compile(r"```.*?```", re.DOTALL)
CODE = re.compile(r"`([^`]+)`")
NAME = re.compile(r"(?<![\w./:])(?:agents|envs|generative|nets)(?:\.\w+)+(?![\w.]*[:/])")
FILE = re.compile(r"(?<![\w./])(?:agents|envs|generative|nets|scripts|tests|docs)/[\w/.-]*\w\.\w+")


def inline(page):
    """The code within the sentences of a page."""
    text = BLOCKS.sub("", PAGES[page].read_text(encoding="utf-8"))
    return [" ".join(code.split()) for code in CODE.findall(text)]


def is_there(name):
    """Whether a dotted name is that of a module, or of something in one."""
    package, *rest = name.split(".")
    found = import_module(package)
    for each in rest:
        if not hasattr(found, each):
            try:
                import_module(f"{found.__name__}.{each}")
            except ModuleNotFoundError:
                return False
        found = getattr(found, each)
    return True


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page):
    for code in inline(page):
        for name in NAME.findall(code):
            assert is_there(name), name
        for file in {*FILE.findall(code)} - {"scripts/demos/NAME.py"}:
            assert (ROOT / file).exists(), file
