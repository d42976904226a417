"""What errors say: which known name was probably meant, and a value in few words."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from typing import Any

from .habits import ARGUMENTS, HABITS

LONGEST = 60
ALIKE = 0.8
"""Of two words, of which one is the other misspelled: `lerning` and `learning`."""
ONE_WORD = 0.85
"""Of two whole names, whose words may be written as one: `learningrate`."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant; None where nothing is near.

    Of options, `--config.learning-rate`, the last word counts; they are given nowhere else.
    """
    by_word = {_word(each): each for each in sorted(known, key=lambda each: (-len(each), each))}
    word = _word(name)
    for meant in (
        word,
        HABITS.get(word),
        *(own for own in by_word if HABITS.get(own) == word),
    ):
        if meant in by_word:
            return by_word[meant]
    if (word in ARGUMENTS or HABITS.get(word) in ARGUMENTS) and not name.startswith("-"):
        return None
    habits = {habit: by_word[own] for habit, own in HABITS.items() if own in by_word}
    for names in (by_word, habits):  # a name misspelled, and one of another library's
        near = get_close_matches(word, names, n=3)
        if slips := [each for each in near if is_slip(word, each)]:
            return names[slips[0]]
    return None


def is_slip(name: str, other: str) -> bool:
    """Whether a name may be another one misspelled, or lacks some of its words, or has more.

    Of `normalize_advantage` and `normalize_observation` it is not so, however many letters they
    share: each has a word that the other has not.
    """
    if SequenceMatcher(None, name.lower(), other.lower()).ratio() >= ONE_WORD:
        return True
    fewer, more = sorted((_words(name), _words(other)), key=len)
    return bool(fewer) and all(any(_alike(each, word) for word in more) for each in fewer)


def _words(name: str) -> list[str]:
    return [each.lower() for each in WORDS.findall(name)]


def _alike(word: str, other: str) -> bool:
    short, long = sorted((word, other), key=len)
    if (len(short) > 2 and long.startswith(short)) or sorted(short) == sorted(long):
        return True  # cut short, or with letters that changed places
    return SequenceMatcher(None, word, other).ratio() >= ALIKE


WORDS = re.compile(r"[A-Z]*[a-z]+|[A-Z]+|\d+")


def hint(name: str, known: Iterable[str]) -> str:
    """Return "did you mean ...?" or, where nothing is near, where it is given, or all names."""
    names, word = sorted(known), _word(name)
    near = nearest(name, names)
    elsewhere = ARGUMENTS.get(word) or ARGUMENTS.get(HABITS.get(word, ""))
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
