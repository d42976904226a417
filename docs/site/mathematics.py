"""Mathematics is drawn when the site is built: browsers need neither a script nor a font for it."""

from html import escape
from typing import Any

import ziamath
from mkdocs.config.defaults import MkDocsConfig

SIZE = 17  # pixels

ziamath.config.svg2 = False  # several pictures on a page would share the names of their letters


def show(source: str, *_: Any, **__: Any) -> str:
    """Return the picture of what LaTeX says, which screen readers spell."""
    formula = ziamath.Latex(" ".join(source.split()), size=SIZE, color="currentColor")
    return f'<div class="math" role="img" aria-label="{escape(source)}">{formula.svg()}</div>'


def on_config(config: MkDocsConfig) -> None:
    """Let fences called `math`, which GitHub draws too, be shown so."""
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {})
    fences["custom_fences"] = [{"name": "math", "class": "math", "format": show}]
