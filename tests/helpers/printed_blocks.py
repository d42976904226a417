"""The blocks of code that our pages print, and what a comment above one asks of the tests.

<!-- instead: agent.learn() -> agent.learn(500) -->   where running it as printed takes too long
<!-- before: env = gym.make("CartPole-v1") -->        run first: what the text takes for given
<!-- file: pond.py -->                                the block is a module of that name
<!-- goes on -->                                      with the names of the section before
<!-- quote: agents/equations/targets.py -->           the block stands so in that file
<!-- not run: why -->                                 for what needs more than we have
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path
    for path in [
        *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")),
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
}
MARKS = re.compile(r"<!-- (instead|before|file|goes on|quote|not run)(?:: (.*?))? -->", re.DOTALL)
BLOCK = re.compile(
    r"(?P<marks>(?:^<!-- (?:(?!-->).)*? -->\n)*)^(?P<indent> *)```(?P<language>\w*)\n"
    r"(?P<code>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """One block: what is printed, where, and what is asked of it."""

    page: str
    line: int
    section: str
    language: str
    code: str
    marks: dict[str, list[str]] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def quick(self) -> str:
        """What is run in place of `code`: the same, but what `instead` makes shorter."""
        code = self.code
        for change in self.marks.get("instead", []):
            long, _, short = change.partition(" -> ")
            assert long in code, f"{self}: there is no {long!r}"
            code = code.replace(long, short)
        return code


def blocks_of(page: str, *languages: str) -> list[Block]:
    """Return the blocks of a page in these languages, from top to bottom."""
    text = PAGES[page].read_text(encoding="utf-8")
    blocks = []
    for found in BLOCK.finditer(text):
        if found["language"] in languages:
            before = text[: found.start("code")]
            headings = re.findall(r"^## .*$", before, re.MULTILINE)
            marks: dict[str, list[str]] = {}
            for name, value in MARKS.findall(found["marks"]):
                marks.setdefault(name, []).append(value)
            assert len(MARKS.findall(found["marks"])) == found["marks"].count("<!--"), before[-80:]
            line = before.count("\n") + 1
            section = headings[-1] if headings else page
            if "goes on" in marks:
                section = blocks[-1].section
            blocks.append(Block(page, line, section, found["language"], found["code"], marks))
    return blocks


def with_blocks(*languages: str) -> list[str]:
    """Return the names of the pages that have blocks in these languages."""
    return [page for page in PAGES if blocks_of(page, *languages)]
