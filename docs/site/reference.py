"""The reference: a page for each package, of what its door shows, and one for each of its rooms."""

import ast
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "agents": ["equations", "tabular", "environments", "outcomes", "networks"],
    "envs": ["grids", "pictures", "worlds"],
    "generative": ["autoencoders", "data", "dreams", "gans", "metrics", "worlds"],
    "nets": ["gradients", "layers", "networks", "supervised"],
}
BASES = {"agents": ["agents.agent.Agent"], "generative": ["generative.model.GenerativeModel"]}
FOLDER = "reference"
SOURCE = '<details class="mkdocstrings-source"'


def door(package: str) -> dict[str, str]:
    """Return the public names of a package, each with where it is written."""
    stub = ROOT / package / "__init__.pyi"
    file = stub if stub.exists() else stub.with_suffix(".py")
    tree = ast.parse(file.read_text(encoding="utf-8")).body
    imports = [node for node in tree if isinstance(node, ast.ImportFrom) and node.level == 1]
    public = {
        alias.name: f"{package}.{node.module}.{alias.name}"
        for node in imports
        for alias in node.names
        if not (ROOT / package / (node.module or "") / f"{alias.name}.py").exists()
    }
    return {name: public[name] for name in sorted(public, key=str.lower)}


def described(identifier: str, heading: str, *options: str) -> str:
    """Return what draws the docstring of a name, or of a module."""
    lines = [f"heading: {heading}", "heading_level: 2", *options]
    return "\n".join(
        [f"::: {identifier}", "    options:", *(f"      {line}" for line in lines), ""]
    )


def package_page(package: str) -> str:
    """Return the page of what `from package import ...` gives."""
    names = []
    for name, home in door(package).items():
        settings = ["inherited_members: true"] if name.endswith("Config") else []
        public = f"{package}.{name}"
        anchor = f'<a id="{public}"></a>\n\n' if public != home else ""
        names.append(anchor + described(home, public, *settings))
    for home in BASES.get(package, []):
        names.append(described(home, home, "inherited_members: true"))
    rooms = ", ".join(f"[`{package}.{room}`]({package}.{room}.md)" for room in PACKAGES[package])
    text = f"What `from {package} import ...` gives. Its rooms: {rooms}."
    text += "".join(f" What all share: [`{home}`](#{home})." for home in BASES.get(package, []))
    return "\n".join([f"# {package}\n", f"{text}\n", *names])


def room_page(package: str, room: str) -> str:
    """Return the page of the modules of a room."""
    folder = ROOT / package / room
    names = sorted(file.stem for file in folder.glob("*.py") if not file.stem.startswith("_"))
    pages = [f"# {package}.{room}\n"]
    for module in (f"{package}.{room}.{name}" for name in names):
        homes = (home.rpartition(".") for home in door(package).values())
        others = "|".join(name for where, _, name in homes if where == module)
        hidden = f'filters: ["!^_", "!^({others})$"]' if others else 'filters: ["!^_"]'
        pages.append(described(module, module, hidden))
    return "\n".join(pages)


def on_page_content(html: str, **_: object) -> str:
    """Keep source code out of what is searched: names and docstrings are found."""
    return html.replace(SOURCE, f"{SOURCE} data-search-exclude")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the reference."""
    for package, rooms in PACKAGES.items():
        pages = {package: package_page(package)}
        pages |= {f"{package}.{room}": room_page(package, room) for room in rooms}
        for name, content in pages.items():
            files.append(File.generated(config, f"{FOLDER}/{name}.md", content=content))
    return files
