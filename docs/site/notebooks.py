"""Tutorials are notebooks, whose text, code and outputs become pages."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def fenced(language: str, text: str) -> str:
    """Return a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def shown(cell: dict[str, Any], pictures: dict[str, bytes], folder: str) -> list[str]:
    """Return the parts of a page that a cell is, and put its pictures to the others."""
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return [source]
    parts = [fenced("python", source)]
    for output in cell["outputs"]:
        data = output.get("data", {})
        if output.get("name") == "stdout":
            parts.append(fenced("text", "".join(output["text"])))
        elif "image/png" in data:
            name = f"{folder}/{len(pictures)}.png"
            pictures[name] = b64decode("".join(data["image/png"]))
            parts.append(f"![{cell['id']}]({name})")
        elif "text/plain" in data:
            parts.append(fenced("text", "".join(data["text/plain"])))
    return parts


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each notebook; the notebook itself lies beside it."""
    for file in [each for each in files if each.src_uri.endswith(".ipynb")]:
        place = Path(file.src_uri)
        cells = json.loads(Path(file.abs_src_path).read_text(encoding="utf-8"))["cells"]
        pictures: dict[str, bytes] = {}
        parts = [part for cell in cells for part in shown(cell, pictures, place.stem)]
        parts.insert(1, f'<a href="{place.name}" download>This page as a notebook</a>')
        files.append(
            File.generated(config, str(place.with_suffix(".md")), content="\n\n".join(parts))
        )
        for name, picture in pictures.items():
            files.append(File.generated(config, f"{place.parent}/{name}", content=picture))
    return files
