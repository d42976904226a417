"""Links of all pages lead somewhere, and every page is in the site's navigation."""

import re
from posixpath import dirname, join, normpath

import pytest
from printed_blocks import PAGES, ROOT

LINK = re.compile(r"(?:\]\(|\bsrc=\")(?!\w+:)([^)\s\"]+)[)\"]")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
NOTEBOOKS = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("docs/tutorials/*.ipynb"))]
NAVIGATION = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]


def anchors(text):
    """The anchors of a page's headings, as GitHub and the site make them, and those it sets."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.M)
    plain = (re.sub(r"[^\w\- ]", "", heading.strip().lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain} | set(re.findall(r'id="(.*?)"', text))


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS])
def test_the_links_of_a_page_lead_somewhere(page):
    for link in LINK.findall(CODE.sub("", (ROOT / page).read_text(encoding="utf-8"))):
        name, _, anchor = link.partition("#")
        target = ROOT / (normpath(join(dirname(page), name)) if name else page)
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("page", [page for page in [*PAGES, *NOTEBOOKS] if page[:5] == "docs/"])
def test_a_page_is_in_the_navigation(page):
    assert f"- {page.removeprefix('docs/').replace('.ipynb', '.md')}\n" in NAVIGATION
