"""The pictures on the pages of worlds and data are those that a command draws."""

import runpy
from pathlib import Path

import imageio.v3 as iio
import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCRIPT = DOCS.parent / "scripts" / "illustrations.py"


@pytest.fixture
def script(monkeypatch):
    """What the script defines, and what it draws."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return runpy.run_path(str(SCRIPT)) | runpy.run_path(str(SCRIPT.with_name("scenes.py")))


def test_two_pictures_are_those_of_the_pages(tmp_path, call):
    done = call("illustrations", "--only", "catch", "sprites", "--out", "drawn", cwd=tmp_path)
    files = "envs/catch.png", "generative/sprites.png"
    assert done.stdout.splitlines() == [f"wrote drawn/{file}" for file in files]
    for file in files:
        drawn, shown = (iio.imread(folder / file) for folder in (tmp_path / "drawn", DOCS))
        assert drawn.shape == shown.shape
        assert (drawn == shown).mean() > 0.999  # a ball in another column is 0.4 % of them


def test_what_is_drawn_are_the_pictures_of_all_worlds(script):
    drawn = {f"envs/{name}.png" for name in script["SCENES"]}
    drawn |= {file for file, _ in script["OTHERS"].values()}
    shown = {f"envs/{file.name}" for file in (DOCS / "envs").glob("*.png")}
    assert shown - drawn == {"envs/snake-trained.png"}  # of a run that its page begins
    assert not [file for file in drawn if not (DOCS / file).exists()]


def test_a_picture_that_there_is_not_is_refused(script, capsys):
    assert script["command"](script["main"])(["--only", "cartpol"]) == 2
    assert capsys.readouterr() == (
        "",
        "error: unknown illustration 'cartpol'; did you mean 'cartpole'?\n",
    )
