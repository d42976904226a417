"""Prose that a narrow terminal would break within words; what is there to be copied stays whole."""

import re
import shutil
from itertools import groupby
from textwrap import wrap
from typing import Any

LISTED = re.compile(r"(  \S+ {2,}| {2}\S{16,} )(?=\S)")
"""The name before what is said of it, in a list."""
WHOLE: dict[str, Any] = {"break_on_hyphens": False, "break_long_words": False}
LEAST = 12
"""Columns that what is said of a name has at least, or else it stands below."""


def fitted(text: str) -> str:
    """Return a text whose sentences, and lists of names, are no wider than the terminal.

    Lines of commands, which begin with two spaces or `usage:`, stay as they are, and all of it does
    where nobody says how wide the terminal is, as in a file.
    """
    width = shutil.get_terminal_size(fallback=(0, 0)).columns
    if not width:
        return text
    lines: list[str] = []
    for prose, block in groupby(text.split("\n"), _is_prose):
        fit = _paragraph if prose else _rows
        lines += fit([*block], width)
    return "\n".join(lines)


def _is_prose(line: str) -> bool:
    return bool(line) and not line.startswith((" ", "usage:"))


def _paragraph(lines: list[str], width: int) -> list[str]:
    if max(map(len, lines)) <= width:
        return lines
    # behind a space, as tyro makes one line of lines that begin with a letter
    return wrap(" ".join(lines), width, subsequent_indent=" ", **WHOLE)


def _rows(lines: list[str], width: int) -> list[str]:
    return [each for line in lines for each in _row(line, width)]


def _row(line: str, width: int) -> list[str]:
    name = LISTED.match(line)
    if len(line) <= width or name is None:
        return [line]
    beside = width - name.end() >= LEAST
    indent = " " * (name.end() if beside else 4)
    said = wrap(line[name.end() :], width - len(indent), **WHOLE)
    first, *rest = (name[0] + said[0], *said[1:]) if beside else (name[0].rstrip(), *said)
    return [first, *(indent + each for each in rest)]
