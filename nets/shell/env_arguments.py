"""Arguments of environments on a command line: `--env.NAME VALUE`."""

import ast
from collections.abc import Sequence
from typing import Any

from .command_line import CommandError

PREFIX = "--env."
WORDS = {"true": True, "false": False, "none": None, "null": None}


def take_arguments(argv: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Take `--env.NAME VALUE` and `--env.NAME=VALUE` out of the arguments of a command.

    A value is a number, true, false, none, a list or dict as Python writes them, or else text. An
    option without one is true.

    Returns:
        the other arguments, and the environment's.
    """
    others, found, words = [], {}, list(argv)
    while words:
        word = words.pop(0)
        if not word.startswith(PREFIX):
            others.append(word)
            continue
        name, equals, value = word.removeprefix(PREFIX).partition("=")
        name = name.replace("-", "_")
        if not name.isidentifier():
            raise CommandError(f"{word} names no argument: expected --env.NAME VALUE")
        if not equals and words and not words[0].startswith("--"):
            value, equals = words.pop(0), "="
        found[name] = _value(value) if equals else True
    return others, found


def _value(text: str) -> Any:
    """Return the number, list or word that `text` stands for."""
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return text
