"""What commands that draw can be told of their figures."""

from dataclasses import dataclass

from ..drawing.style import Format, Theme


@dataclass(frozen=True, kw_only=True)
class FigureOptions:
    """How figures look, and what they are saved as."""

    theme: Theme = "light"
    """Paper that figures are drawn on."""
    format: Format = "png"
    """Of figures, beside the .png that there always is: svg or pdf, for papers."""
