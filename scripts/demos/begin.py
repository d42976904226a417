"""What every demo begins and ends with: Ctrl-C and the command line before torch, seed, file."""

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

# this checkout's packages come first, whatever else is installed under their names
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nets.drawing.style import Theme, drawing, styled
from nets.runs.durable import require_place
from nets.shell.command_line import command, parse, refusals
from nets.shell.here import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEMO = sys.modules["__main__"]
RUNS = (
    Path(getattr(DEMO, "__file__", None) or "-").resolve().parent == Path(__file__).resolve().parent
)
"""Whether a demo is run; tests import them."""


@dataclass(frozen=True)
class DemoOptions:
    """Where the picture goes, and how it looks."""

    out: Path
    """The picture: a .png, .svg or .pdf."""
    theme: Theme = "light"
    """Paper that it is drawn on."""


def options(argv: list[str]) -> DemoOptions:
    """Return what is asked of the demo that is run; `--help` ends here."""
    name = Path(sys.argv[0]).stem
    told = (DEMO.__doc__ or "").replace("{", "{{").replace("}", "}}")
    return parse(DemoOptions, name, argv, told, DemoOptions(Path(f"{name}.png")))


def demo(draw: Callable[[], "Figure"]) -> None:
    """Draw the picture of the demo that is run, with seed 0, and write it."""
    import torch

    from nets.drawing.figures import require_ending, save
    from nets.process.seeding import seeded

    def run(argv: list[str]) -> int:
        asked = options(argv)
        with refusals(ValueError):
            require_ending(asked.out)
            require_place(asked.out)
        torch.set_num_threads(1)  # small nets; one thread gives the same bits everywhere
        with seeded(0), drawing(asked.theme), styled():
            save(draw(), asked.out)
        print(shown(asked.out))
        return 0

    if code := command(run)(sys.argv[1:]):
        sys.exit(code)


if RUNS:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback before the command listens
    if code := command(lambda argv: 0 * bool(options(argv)))(sys.argv[1:]):
        sys.exit(code)
