"""What a thing is, at a glance: one line where text is read, a small table in a notebook."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import fields
from html import escape
from typing import TYPE_CHECKING, Any

from .near import shortened

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Shown:
    """What says of itself, in a prompt and in a notebook, the `facts` that it has."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What it is, in a few words and numbers."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return in_a_line(self, self.facts)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return in_a_table(self, self.facts)


CELL = "text-align: left; padding: 0.1em 1em 0.1em 0; border: none"


def in_a_line(thing: object, facts: Mapping[str, Any]) -> str:
    """Return `Kind(name=value, ...)`."""
    said = ", ".join(f"{name}={shortened(value)}" for name, value in facts.items())
    return f"{type(thing).__name__}({said})"


def in_a_table(
    thing: object, facts: Mapping[str, Any], pictures: Sequence[bytes] = (), width: str = "auto"
) -> str:
    """Return a table of facts in HTML, with pictures below it.

    Args:
        thing: whose type is the title.
        facts: by name; nothing in them is taken for HTML.
        pictures: PNG or GIF files.
        width: of each, as CSS writes it; one that is not theirs shows their pixels.
    """
    rows = "".join(
        f'<tr><td style="{CELL}">{escape(name.replace("_", " "))}</td>'
        f'<td style="{CELL}">{escape(value if isinstance(value, str) else shortened(value))}</td>'
        "</tr>"
        for name, value in facts.items()
    )
    style = f"width: {width}; max-width: 100%; margin: 1px"
    style += "" if width == "auto" else "; image-rendering: pixelated"
    images = "".join(
        f'<img src="data:image/{_kind(picture)};base64,{b64encode(picture).decode()}" '
        f'style="{style}" alt="">'
        for picture in pictures
    )
    return f"<strong>{escape(type(thing).__name__)}</strong><table>{rows}</table>{images}"


def rows_in_a_table(thing: object, rows: Sequence[Sequence[object]]) -> str:
    """Return rows of cells in HTML, of which the first is the heading.

    Args:
        thing: whose type is the title.
        rows: cells, all of equal number; nothing in them is taken for HTML.
    """
    lines = []
    for k, row in enumerate(rows):
        kind = "td" if k else "th"
        cells = (f'<{kind} style="{CELL}">{_cell(value)}</{kind}>' for value in row)
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<strong>{escape(type(thing).__name__)}</strong><table>{''.join(lines)}</table>"


def _kind(picture: bytes) -> str:
    return "gif" if picture.startswith(b"GIF8") else "png"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return escape(value if isinstance(value, str) else shortened(value))


def changed(config: "DataclassInstance") -> dict[str, Any]:
    """Return the settings that are not the defaults, by name."""
    usual = type(config)()
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {name: value for name, value in values.items() if value != getattr(usual, name)}
