"""Tables fit: cells with sentences stay wide enough to be read, long names may be broken."""

import re

SENTENCE = 40  # letters from which a cell is one
NAME = re.compile(r"(?<=[\w)])[_./=(](?=\w)(?!py\b)")  # behind what a long name is broken
CELL = re.compile(r"<td( style=[^>]*)?>(.*?)</td>", re.DOTALL)
TAG = re.compile(r"(<[^>]+>)")
LONG = re.compile(r"[^\s&;]{20,}")


def broken(text: str) -> str:
    """Let the long names of a text without tags be broken between their parts."""
    return LONG.sub(lambda word: NAME.sub(r"\g<0><wbr>", word[0]), text)


def on_page_content(html: str, **_: object) -> str:
    """Mark cells of many letters; the style gives them room, and what is still wider scrolls."""

    def marked(cell: re.Match[str]) -> str:
        long = len(TAG.sub("", cell[2])) >= SENTENCE and not cell[1]
        parts = TAG.split(cell[2])  # text and tags in turn
        parts[::2] = map(broken, parts[::2])
        kind = ' class="sentence"' if long else cell[1] or ""
        return f"<td{kind}>{''.join(parts)}</td>"

    return CELL.sub(marked, html)
