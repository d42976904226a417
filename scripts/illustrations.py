"""The pictures of worlds and of data on the pages: moments of play side by side, samples."""

import signal
import sys
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback before the command listens
# this checkout's packages come first, whatever else is installed under their names
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nets.shell.command_line import command, draw_off_screen, parse, refusals
from nets.shell.here import shown

TEXT = """Draw the pictures of worlds and data that the pages show.

examples:
  {command} --out docs
  {command} --only catch ring --out pictures"""


@dataclass(frozen=True)
class IllustrationOptions:
    """Which pictures, and where to."""

    only: tuple[str, ...] = ()
    """Names of pictures; all of them by default."""
    out: Path = Path("illustrations")
    """Folder whose `envs/` and `generative/` take them."""


def main(argv: list[str]) -> int:
    """Draw, and tell what was written."""
    options = parse(IllustrationOptions, "illustrations", argv, TEXT)
    from scenes import OTHERS, SCENES, side_by_side

    from generative.gallery.grids import save
    from nets.registry import Registry

    draw_off_screen()
    known = Registry("illustration", dict.fromkeys([*SCENES, *OTHERS]))
    with refusals(ValueError):
        for name in [known.canonical(name) for name in options.only or known]:
            file, draw = OTHERS.get(name) or (f"envs/{name}.png", None)
            path = options.out / file
            path.parent.mkdir(parents=True, exist_ok=True)
            save(path, draw() if draw else side_by_side(SCENES[name]), fps=14)
            print(f"wrote {shown(path)}")
    return 0


if __name__ == "__main__":
    sys.exit(command(main)())
