"""Commands that train what the quality table is about, and draw samples of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from nets.drawing.style import Theme
from nets.shell.command_line import Command, command, parse


@dataclass(frozen=True)
class DrawOptions:
    """Where to draw."""

    picture: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="PNG")]
    """File of the picture."""
    seed: int = 0
    """Of every training."""
    steps: int | None = None
    """Of every training; by default as many as in the table."""
    theme: Theme = "light"
    """Paper that is drawn on."""


def drawing(draw: Callable[[DrawOptions], object], name: str, text: str) -> Command:
    """Return the command that trains and draws.

    Args:
        draw: what it does.
        name: of the command.
        text: what the command does, with examples.
    """

    @command
    def main(argv: list[str]) -> int:
        """Train and draw."""
        draw(parse(DrawOptions, name, argv, text))
        return 0

    return main
