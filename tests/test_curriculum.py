"""docs/curriculum.md: every row is there, every link leads somewhere, every named test exists."""

import ast
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "curriculum.md").read_text(encoding="utf-8")
ROWS = {
    "N-ACT": 11, "N-LIN": 7, "N-HEAD": 6, "N-LOSS": 11, "N-NORM": 9, "N-INIT": 7, "N-REG": 14,
    "N-POOL": 8, "N-OPT": 17, "N-SCH": 5, "N-GRAD": 5, "N-CNN": 11, "N-ARC": 9, "N-RNN": 11,
    "N-SEQ": 10, "G-AE": 2, "G-VAE": 11, "G-GAN": 11, "A-CORE": 4, "A-DP": 3, "A-TD": 4,
    "A-FA": 3, "A-PG": 5, "E": 5, "S-CV": 2, "S-ES": 1, "S-DIAG": 7, "S-MET": 1, "S-DATA": 6,
    "S-TL": 1, "S-MTL": 1, "S-HP": 2, "S-TB": 4, "S-IO": 2, "S-TR": 4, "S-DOC": 1,
}  # fmt: skip
IDS = [f"{prefix}-{k:02}" for prefix, count in ROWS.items() for k in range(1, count + 1)]
ANCHOR = re.compile(r'\| <a id="([a-z0-9-]+)"></a>([NGAES]-[A-Z0-9-]+) \|(.*)\|')
TABLE = [found.groups() for found in map(ANCHOR.fullmatch, PAGE.splitlines()) if found]
CELLS = {row: [cell.strip() for cell in cells.split(" | ")] for _, row, cells in TABLE}
ROW = re.compile(r"\b(?:[NGAS]-[A-Z]+|E)-\d\d\b")
LINK = re.compile(r"\[([^\[\]|]+)\]\(([^)]*)\)")
REMARKS = ["N-REG-10", "G-GAN-11", "S-DOC-01"]
ELSEWHERE = ["S-IO-02"]  # in processes of their own, which are killed


def named_rows(test):
    """Return the IDs in a test's name, and what the name says about them."""
    found = re.fullmatch(r"test_((?:(?:[NGAS]_[A-Z]+|E)(?:_\d\d)+_)+)(.+)", test)
    if found is None:
        return set(), ""
    families = re.findall(r"([NGAS]_[A-Z]+|E)((?:_\d\d)+)_", found[1])
    ids = {
        f"{family}{number}" for family, many in families for number in re.findall(r"_\d\d", many)
    }
    return {each.replace("_", "-") for each in ids}, found[2].replace("_", " ")


def named_in(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [name for name in names if name.startswith("test_")]


@cache
def written():
    """The tests of each file; to read them all takes a second."""
    return {path: named_in(path) for path in sorted((ROOT / "tests").rglob("test_*.py"))}


def slug(heading):
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_every_row_is_there_once_with_all_its_cells():
    assert len(IDS) == 221
    assert sorted(row for _, row, _ in TABLE) == sorted(IDS)
    assert all(anchor == row.lower() for anchor, row, _ in TABLE)  # what links click on
    for row, cells in CELLS.items():
        assert len(cells) == 5, row
        assert all(cells), row


def test_every_link_leads_somewhere():
    for text, target in LINK.findall(PAGE):
        name, _, anchor = target.partition("#")
        file = (ROOT / "docs" / name).resolve() if name else ROOT / "docs" / "curriculum.md"
        assert file.exists(), target
        if Path(text).suffix:
            assert ROOT / text == file, target
        if anchor and anchor.upper() not in IDS:
            lines = file.read_text(encoding="utf-8").splitlines()
            assert anchor in [slug(line.lstrip("#")) for line in lines if line[:1] == "#"], target


@pytest.mark.parametrize("row", IDS)
def test_a_row_lives_in_a_file_and_is_held_by_tests_of_its_name(row):
    lives, held = LINK.findall(CELLS[row][3]), LINK.findall(CELLS[row][4])
    assert lives
    assert held
    if row in REMARKS:
        assert [text for text, _ in held] == ["documentation"]
        return
    for sentence, target in held:
        tests = written()[(ROOT / "docs" / target).resolve()]
        assert (row, sentence) in [
            (each, words) for name in tests for ids, words in [named_rows(name)] for each in ids
        ]


def files_of(row):
    """Return the files of code that a row names, without the demos, which draw it."""
    named = [(ROOT / "docs" / target.partition("#")[0]).resolve() for _, target in lives(row)]
    return {str(file) for file in named if file.suffix == ".py" and file.parent.name != "demos"}


def lives(row):
    return LINK.findall(CELLS[row][3])


def linked_tests(row):
    """Return the tests that a row links to, as pytest calls them."""
    return [
        f"{path.relative_to(ROOT)}::{name}"
        for sentence, target in LINK.findall(CELLS[row][4])
        for path in [(ROOT / "docs" / target).resolve()]
        for name in written().get(path, ())
        if (row, sentence) in [(each, named_rows(name)[1]) for each in named_rows(name)[0]]
    ]


@pytest.mark.slow
def test_the_tests_of_a_row_run_the_files_that_it_names(tmp_path):
    """Traced until all were; rows with tests that are slow or skipped here are given the doubt."""
    rows = {
        row: {"tests": linked_tests(row), "files": sorted(files_of(row))}
        for row in IDS
        if row not in REMARKS + ELSEWHERE and files_of(row)
    }
    sought, hollow = tmp_path / "sought.json", tmp_path / "hollow.json"
    sought.write_text(json.dumps(rows))
    helpers = str(ROOT / "tests" / "helpers")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "row_tracer", "-p"]
    tests = dict.fromkeys(test for each in rows.values() for test in each["tests"])
    subprocess.run(
        [*command, "no:cacheprovider", "-m", "not slow", *tests],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": helpers, "SOUGHT": str(sought), "HOLLOW": str(hollow)},
        check=True,
        capture_output=True,
    )
    assert json.loads(hollow.read_text()) == {}


def test_every_test_that_names_a_row_names_one_that_exists():
    named = {row for tests in written().values() for name in tests for row in named_rows(name)[0]}
    assert not named - set(IDS)
    for path, tests in written().items():
        for name in tests:
            looks_like_a_row = re.match(r"test_([NGAS]_[A-Z]+|E)_\d", name)
            assert not looks_like_a_row or named_rows(name)[0], f"{path.name}: {name}"


def test_every_row_that_a_page_or_a_docstring_names_is_one_and_pages_link_to_it():
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        if page.name != "curriculum.md":
            for row in ROW.findall(text):
                assert f"[{row}](" in text, f"{page.name}: {row}"
                assert f"curriculum.md#{row.lower()})" in text, f"{page.name}: {row}"
    for package in ("agents", "generative", "nets", "envs", "scripts"):
        for file in sorted((ROOT / package).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            assert not set(ROW.findall(text)) - set(IDS), file
            assert not re.search(r"\bSPEC\b", text), file
