"""What the search lists first: pages that explain, before the reference and the records of runs."""

from typing import Any

BEHIND = {"reference/": 0.3, "results/": 0.1}  # beginnings of addresses, and how much they weigh


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """Give a page its weight in the search; the text stays as it is."""
    for beginning, weight in BEHIND.items():
        if page.file.src_uri.startswith(beginning):
            page.meta.setdefault("search", {"boost": weight})
    return markdown
