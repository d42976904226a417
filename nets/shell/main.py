"""The command line: `dreamgym COMMAND ...`, one module per command.

Commands are found through the entry-point group `dreamgym.commands`, so that other packages add
theirs without being imported here. Every module parses its arguments before it imports torch.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from ..near import hint
from .command_line import CommandError, command
from .completion import ASK, SHELLS, candidates
from .widths import fitted

GROUP = "dreamgym.commands"


@command
def main(argv: list[str]) -> int:
    """Run the command that `argv` begins with."""
    points = {point.name: point for point in entry_points(group=GROUP)}
    if argv in ([], ["-h"], ["--help"], ["help"]):
        print(fitted(_usage(points)))
        return 0
    if argv[0] == ASK:
        print("\n".join(candidates(points, argv[1:] or [""])))
        return 0
    name, *rest = argv if argv[0] != "help" else [*argv[1:], "--help"]
    if name == "help":
        return main(["help"])
    if name == "completion":
        print(_completion(rest), end="")
        return 0
    if name not in points:
        known = {*points, "completion", "help", "--version"}
        raise CommandError(f"unknown command {name!r}: {hint(name, known)}")
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
            "`dreamgym help COMMAND` tells more, `dreamgym --version` which this is.",
            '  eval "$(dreamgym completion bash)"    completes it at the Tab key (or zsh, fish)',
            "  dreamgym train dqn CartPole-v1        begins",
        ]
    )


def _completion(shell: list[str]) -> str:
    """Return what a shell is to read before it completes commands of ours."""
    match shell:
        case [name] if name in SHELLS:
            return SHELLS[name]
        case [name] if name not in {"-h", "--help"}:
            raise CommandError(f"unknown shell {name!r}: {hint(name, set(SHELLS))}")
    return f"""usage: dreamgym completion SHELL

Print what lets a shell complete commands, options, algorithms and environments at the Tab key.

examples:
  eval "$(dreamgym completion bash)"                    in ~/.bashrc
  eval "$(dreamgym completion zsh)"                     in ~/.zshrc, behind compinit
  dreamgym completion fish | source                     in ~/.config/fish/config.fish

shells: {", ".join(SHELLS)}
"""
