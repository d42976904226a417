"""The errors that pages quote are those that are raised."""

import re

import pytest
from printed_blocks import PAGES, blocks_of

from agents.commands.evaluate import main as evaluate
from nets import NatureCNN, activation


def quoted(page, beginning):
    """The inline code of a page that begins so, in one line."""
    text = " ".join(PAGES[page].read_text(encoding="utf-8").split())
    return re.search(rf"`({re.escape(beginning)}[^`]*)`", text)[1]


@pytest.mark.parametrize(
    ("beginning", "call"),
    [
        ("unknown activation", lambda: activation("rleu")),
        ("images of 10x10", lambda: NatureCNN((4, 10, 10))),
    ],
)
def test_the_page_of_nets_quotes_what_is_raised(beginning, call):
    with pytest.raises(ValueError, match=re.escape(quoted("docs/nets.md", beginning))):
        call()


def test_the_page_on_security_quotes_what_a_command_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (block,) = blocks_of("SECURITY.md", "python")
    exec(block.marks["before"][0], {})
    (tmp_path / "runs" / "mine").rename(tmp_path / "runs" / "gift")
    capsys.readouterr()
    assert evaluate(["runs/gift"]) == 2
    (told,) = blocks_of("SECURITY.md", "text")
    assert capsys.readouterr().err.split() == told.code.split()
