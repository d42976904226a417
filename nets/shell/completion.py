"""What a shell may complete a command line of `dreamgym` to: what the commands' own help says."""

import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import EntryPoint

Run = Callable[[list[str]], int]

ASK = "__complete"  # candidates for the last of the words that follow
OPTION = re.compile(r"[│ ] (?:-\w, )?(--\w[\w.-]*)(?:, (--\w[\w.-]*))?(?: ([^ ]+))?")
NAMED = re.compile(r"[│ ] (ALGO|ENV_ID) ")  # arguments whose names `train --list` tells
SHELLS = {
    "bash": """\
_dreamgym() {
    local line=${COMP_LINE:0:COMP_POINT} word found
    local -a words
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    word=${words[${#words[@]}-1]}
    COMPREPLY=()
    while IFS= read -r found; do  # bash itself takes a colon for the end of a word
        COMPREPLY+=("${found#"${word%"${word##*:}"}"}")
    done < <(dreamgym __complete "${words[@]:1}" 2>/dev/null)
}
complete -o bashdefault -o default -F _dreamgym dreamgym
""",
    "zsh": """\
#compdef dreamgym
_dreamgym() {
    local -a found
    found=("${(@f)$(dreamgym __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n $found ]]; then compadd -a found; else _files; fi
}
compdef _dreamgym dreamgym
""",
    "fish": """\
complete -c dreamgym -a \\
    '(dreamgym __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
""",
}
"""For each shell what it is to read, as in `eval "$(dreamgym completion bash)"`."""


def candidates(commands: Mapping[str, EntryPoint], words: Sequence[str]) -> list[str]:
    """Return what the last of `words` can be, as far as anybody but the file system knows.

    Options and their choices are read from `COMMAND WORDS --help`, so that they are those of the
    algorithm that was typed, and names from `COMMAND --list`; commands of other packages need do
    nothing for it.

    Args:
        commands: what follows `dreamgym`.
        words: what was typed behind `dreamgym`; the last may be empty or half a word.
    """
    *before, current = words
    return sorted(each for each in _all(commands, before, current) if each.startswith(current))


def _all(commands: Mapping[str, EntryPoint], before: Sequence[str], current: str) -> set[str]:
    if not before or before == ["help"]:
        return {*commands, *(() if before else ("completion", "help", "--help", "--version"))}
    name, *arguments = before
    if name == "completion":
        return set(SHELLS)
    if name not in commands:
        return set()
    run: Run = commands[name].load()
    last = arguments.pop() if arguments and arguments[-1].startswith("-") else ""
    told = _printed(run, [*arguments, "--help"]) or _printed(run, ["--help"])
    options = _options(told)
    if current.startswith("-"):
        return set(options)
    if value := options.get(last, last):  # of one that help does not tell of, nothing is known
        return set(value.strip("{}").split(",")) if value.startswith("{") else set()
    if "--list" in told:
        listed = _printed(run, ["--list"])
        learners = _names(listed.partition("\n\n")[0])  # and behind one of them problems
        if not arguments:
            return learners
        return _names(listed) - (learners if arguments[0] in learners else set())
    if not NAMED.search(told):
        return set()
    head, comma, _ = current.rpartition(",")  # of contenders
    return {head + comma + name for name in _names(_printed(commands["train"].load(), ["--list"]))}


def _options(told: str) -> dict[str, str]:
    """Return the options that a help tells, and what stands for the value of each, or nothing."""
    found: dict[str, str] = {}
    for option, opposite, value in OPTION.findall(told):
        found[option] = "" if opposite else value
        if opposite:
            found[opposite] = ""
    return found


def _names(listed: str) -> set[str]:
    """Return the first word of each line of a list, and the second where no other follows."""
    lines = [line.split() for line in listed.splitlines() if line.startswith("  ")]
    return {word for line in lines for word in line[: 2 if len(line) == 2 else 1]}


def _printed(run: Run, argv: list[str]) -> str:
    """Return what a command prints; nothing where it refuses."""
    before, os.environ["COLUMNS"] = os.environ.get("COLUMNS"), "1000"  # no option is wrapped
    try:
        with redirect_stdout(io.StringIO()) as printed, redirect_stderr(io.StringIO()):
            code = run(argv)
    except SystemExit as asked_for_help:
        code = int(asked_for_help.code or 0)
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before
    return "" if code else printed.getvalue()
