"""What the search lists first: pages that explain, before the reference, records and changes."""

from typing import Any

BEHIND = {  # beginnings of addresses, and how much they weigh; titles weigh 1,000 times a text
    "reference/": 0.3,
    "curriculum.md": 0.5,
    "CHANGELOG.md": 0.005,
    "results/": 0.001,
}


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """Give a page its weight in the search; the text stays as it is."""
    for beginning, weight in BEHIND.items():
        if page.file.src_uri.startswith(beginning):
            page.meta.setdefault("search", {"boost": weight})
    return markdown
