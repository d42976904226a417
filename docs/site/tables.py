"""Cells of tables that hold sentences stay wide enough to be read on a narrow screen."""

import re

SENTENCE = 40  # letters from which a cell is one
CELL = re.compile(r"<td>(.*?)</td>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")


def on_page_content(html: str, **_: object) -> str:
    """Mark cells of many letters; the style gives them room, and the table scrolls."""

    def marked(cell: re.Match[str]) -> str:
        long = len(TAG.sub("", cell[1])) >= SENTENCE
        return f'<td class="sentence">{cell[1]}</td>' if long else cell[0]

    return CELL.sub(marked, html)
