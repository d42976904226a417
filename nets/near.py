"""What errors say: which known name was probably meant, and a value in few words."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from .habits import ARGUMENTS, HABITS

LONGEST = 60


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant; None where nothing is near.

    Of options, `--config.learning-rate`, the last word counts; they are given nowhere else.
    """
    by_word = {_word(each): each for each in sorted(known, key=lambda each: (-len(each), each))}
    word = _word(name)
    for meant in (word, HABITS.get(word), *(own for own in by_word if HABITS.get(own) == word)):
        if meant in by_word:
            return by_word[meant]
    if word in ARGUMENTS and not name.startswith("-"):
        return None
    habits = {habit: by_word[own] for habit, own in HABITS.items() if own in by_word}
    for names in (by_word, habits):  # a name misspelled, and one of another library's
        if near := get_close_matches(word, names, n=1):
            return names[near[0]]
    return None


def hint(name: str, known: Iterable[str]) -> str:
    """Return "did you mean ...?" or, where nothing is near, where it is given, or all names."""
    names = sorted(known)
    near, elsewhere = nearest(name, names), ARGUMENTS.get(_word(name))
    if near:
        return f"did you mean {near!r}?"
    return elsewhere or (f"expected one of {', '.join(names)}" if names else "there is none")


def shortened(value: Any) -> str:
    """Return a value in words on one short line."""
    try:
        said = " ".join(repr(value).split())
    except ValueError:  # a whole number of thousands of digits
        said = f"a {type(value).__name__} too long to be written"
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 3]}..."


def _word(name: str) -> str:
    return name.lstrip("-").rpartition(".")[2].replace("-", "_").lower()
