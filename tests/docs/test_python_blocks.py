"""Every Python block of every page runs as it is printed, or is what the file it quotes says."""

import ast
import contextlib
import io
import itertools
import json
import re
import textwrap
import tokenize
import tomllib
from fractions import Fraction
from numbers import Real

import numpy as np
import pytest
from printed_blocks import BLOCK, PAGES, ROOT, blocks_of, with_blocks

import envs  # noqa: F401  registers worlds, which no page is to do first, as these do
import generative.dreams
import generative.latents  # noqa: F401
from nets.process.seeding import seeded

NUMBER = re.compile(r"[-−]?\d[\d_]*(?:\.\d+)?(?:/\d+)?(?=$|[:;,)]? )")
SHAPE = re.compile(r"(?:float32 )?\[((?:\d+(?:, )?)+)\]")


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """An empty folder, in which modules are found; what a page makes goes with it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def remarks(code):
    """The comment behind each line of code."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    return {comment.start[0]: comment.string.lstrip("# ") for comment in comments}


def agrees(value, remark):
    """Whether a value is what the comment beside it begins with, where that is number or shape."""
    number, shape = NUMBER.match(remark), SHAPE.match(remark)
    if number and isinstance(value, Real):
        told = number[0].replace("−", "-").replace("_", "")
        digits = len(told.partition(".")[2])
        return abs(value - float(Fraction(told))) <= (0.5001 * 10**-digits if digits else 1e-9)
    if shape and hasattr(value, "shape"):
        return tuple(value.shape) == tuple(map(int, shape[1].split(", ")))
    return True


def run(code, names, place):
    """Run the code of a block; what stands alone, or is given a name, agrees with its comment."""
    told = remarks(code)
    for node in ast.parse(code).body:
        value = None
        if isinstance(node, ast.Expr):
            value = eval(compile(ast.Expression(node.value), place, "eval"), names)
        else:
            exec(compile(ast.Module([node], []), place, "exec"), names)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = names[node.targets[0].id]
        remark = told.get(node.end_lineno, "")
        assert agrees(value, remark), f"{place}: {ast.unparse(node)} is {value}, not {remark}"


@pytest.mark.parametrize("page", with_blocks("python"))
def test_the_python_of_a_page_runs_as_it_is_printed(page, alone):
    for section, blocks in itertools.groupby(blocks_of(page, "python"), lambda b: b.section):
        names = {"__name__": "page"}
        with seeded(0), contextlib.redirect_stdout(io.StringIO()):
            for block in blocks:
                for code in block.marks.get("before", []):
                    exec(compile(code, f"before {block}", "exec"), names)
                if "file" in block.marks:
                    (alone / block.marks["file"][0]).write_text(block.code, encoding="utf-8")
                elif not {"quote", "not run"} & block.marks.keys():
                    run(block.quick, names, f"{block}, {section}")


BLOCKS = [block for page in with_blocks("python") for block in blocks_of(page, "python")]
QUOTES = [block for block in BLOCKS if "quote" in block.marks]


def stripped(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("block", QUOTES, ids=str)
def test_what_a_page_quotes_stands_so_in_the_code(block):
    (file,) = block.marks["quote"]
    source, quoted = stripped((ROOT / file).read_text(encoding="utf-8")), stripped(block.code)
    starts = [k for k, line in enumerate(source) if line == quoted[0]]
    assert any(source[k : k + len(quoted)] == quoted for k in starts)


@pytest.mark.parametrize(
    ("value", "remark", "expected"),
    [
        (0.5420259, "0.542026", True),
        (0.5421, "0.542026", False),
        (14 / 17, "14/17: how often", True),
        (0.8, "14/17: how often", False),
        (-13.2, "−13", False),
        (np.zeros((2, 3)), "[2, 3]: rows", True),
        (np.zeros((2, 3)), "[3, 2]", False),
        (None, "20,000 steps", True),
    ],
)
def test_a_value_is_held_to_the_number_or_the_shape_beside_it(value, remark, expected):
    assert agrees(value, remark) == expected


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_is_in_a_language_that_tests_read(page):
    for found in BLOCK.finditer(PAGES[page].read_text(encoding="utf-8")):
        language, code = found["language"], textwrap.dedent(found["code"])
        assert language in {"python", "sh", "text", "math", "json", "toml"}, (page, code)
        if language in {"json", "toml"}:
            {"json": json, "toml": tomllib}[language].loads(code)
