"""The site has the links of the repository: pages outside docs/ join it, code is shown as text."""

import re
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
START = "README.md"  # the first page
LINK = re.compile(r"(\]\(|\bsrc=\")(?!\w+:|#|/)([^)\s\"#]+)(?=[#)\"])")
PATH = re.compile(r"\[[\w/]+\.py\](?=\()")  # may be broken at its slashes: columns are narrow
FENCE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
PAGES = (".md", ".png", ".gif")  # what the site shows as it is


def uri(path: str) -> str:
    """Return where the site has a file of the repository.

    Args:
        path: from the root, with slashes.
    """
    if path == START:
        return "index.md"
    if (ROOT / path).is_dir():
        return f"{path}/README.md"
    shown = path.removeprefix("docs/").replace(".ipynb", ".md")
    return shown if shown.endswith(PAGES) else f"{shown}.txt"


def repository_path(page: str) -> str:
    """Return which file of the repository a page of the site is."""
    if page == "index.md":
        return START
    here = ROOT / "docs" / page
    return f"docs/{page}" if here.exists() or here.with_suffix(".ipynb").exists() else page


def outside(path: str, text: str) -> set[str]:
    """Return what the page at `path` links to that is not in docs/."""
    links = {normpath(join(dirname(path), link)) for _, link in LINK.findall(FENCE.sub("", text))}
    return {link for link in links if not link.startswith(("docs/", ".."))}


def listing(path: str) -> str:
    """Return a page that lists the files of a folder."""
    files = sorted(file.name for file in (ROOT / path).iterdir() if file.is_file())
    return "\n".join([f"# {path}\n", *(f"- [{name}]({name})" for name in files)])


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what pages link to, and what these link to."""
    waiting = [START, "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
    for file in files.documentation_pages():
        path = f"docs/{file.src_uri}"
        if (ROOT / path).suffix == ".md" and (ROOT / path).exists():
            waiting += outside(path, (ROOT / path).read_text(encoding="utf-8"))
    while waiting:
        path = waiting.pop()
        place = uri(path)
        if files.get_file_from_path(place) is not None:
            continue
        if (ROOT / path).is_dir() and not (ROOT / path / "README.md").exists():
            files.append(File.generated(config, place, content=listing(path)))
            waiting += [f"{path}/{file.name}" for file in (ROOT / path).iterdir() if file.is_file()]
            continue
        if (ROOT / path).is_dir():
            path = f"{path}/README.md"
        files.append(File.generated(config, place, abs_src_path=str(ROOT / path)))
        if path.endswith(".md"):
            waiting += outside(path, (ROOT / path).read_text(encoding="utf-8"))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Turn the links of the repository into those of the site, but for those within code."""
    here = repository_path(page.file.src_uri)

    def turned(found: re.Match[str]) -> str:
        target = uri(normpath(join(dirname(here), found[2])))
        return found[1] + relpath(target, dirname(page.file.src_uri) or ".")

    markdown = PATH.sub(lambda path: path[0].replace("/", "/<wbr>"), markdown)
    pieces = re.split(f"({FENCE.pattern})", markdown, flags=FENCE.flags)
    return "".join(piece if FENCE.fullmatch(piece) else LINK.sub(turned, piece) for piece in pieces)
