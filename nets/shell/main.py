"""The command line: `dreamgym COMMAND ...`, one module per command.

Commands are found through the entry-point group `dreamgym.commands`, so that other packages add
theirs without being imported here. Every module parses its arguments before it imports torch.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from .. import __version__
from ..near import hint
from .command_line import CommandError, command

GROUP = "dreamgym.commands"


@command
def main(argv: list[str]) -> int:
    """Run the command that `argv` begins with."""
    points = {point.name: point for point in entry_points(group=GROUP)}
    if argv in ([], ["-h"], ["--help"], ["help"]):
        print(_usage(points))
        return 0
    if argv == ["--version"]:
        print(f"dreamgym {__version__}")
        return 0
    name, *rest = argv if argv[0] != "help" else [*argv[1:], "--help"]
    if name not in points:
        raise CommandError(f"unknown command {name!r}: {hint(name, {*points, 'help'})}")
    return points[name].load()(rest)


def _usage(points: Mapping[str, EntryPoint]) -> str:
    """Name the commands, each with the first line of its module's docstring."""
    summaries = {
        n: (import_module(p.module).__doc__ or "").partition("\n")[0] for n, p in points.items()
    }
    lines = [f"  {name:<16} {summaries[name]}" for name in sorted(points)]
    return "\n".join(
        [
            "usage: dreamgym COMMAND [ARGUMENTS]",
            "",
            "Train agents on any Gymnasium environment, measure them, watch them play;",
            "train models that imagine, measure them, sample from them.",
            "",
            "commands:",
            *lines,
            "",
            "`dreamgym help COMMAND` tells more, `dreamgym --version` which this is;",
            "begin with: dreamgym train dqn CartPole-v1",
        ]
    )
