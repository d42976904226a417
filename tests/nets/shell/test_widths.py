"""What is read is no wider than the terminal; what is copied is whole."""

import pytest

from nets.shell.widths import fitted

TEXT = """\
Train an agent on an environment, and leave a run folder.

examples:
  python scripts/train.py dqn CartPole-v1 --preset rainbow
  short      what is said of a short name, at some length
  train-generative Train a model that imagines
  dreamgym/CartPole-v0      balance"""


@pytest.mark.parametrize("width", [40, 30])
def test_sentences_are_broken_and_commands_are_not(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = fitted(TEXT).split("\n")
    assert [line for line in lines if len(line) > width] == [TEXT.split("\n")[3]]
    assert " ".join(fitted(TEXT).split()) == " ".join(TEXT.split())
    below = [line for line in lines if line.startswith("   ")]
    assert {len(line) - len(line.lstrip()) for line in below} <= {4, 13, 19}
    prose = fitted(TEXT.partition("\n")[0]).split("\n")
    assert all(line[0] == " " for line in prose[1:])  # or tyro makes one line of them


def test_what_goes_into_a_file_stays_as_it_is(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("sys.__stdout__", None)
    assert fitted(TEXT) == TEXT
