"""docs/coming-from.md: its words and its defaults are those of the code, theirs and ours."""

import inspect
import re

import pytest
import stable_baselines3
from printed_blocks import PAGES

import agents
from agents.sb3.config import WORDS
from nets.habits import ARGUMENTS, ATTRIBUTES, HABITS, NAMES, OPTIONS

PAGE = PAGES["docs/coming-from.md"].read_text(encoding="utf-8")
DEFAULTS = re.findall(r"^\| (\w+) `(\w+)` \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)


def test_the_table_of_words_is_what_the_errors_know():
    table = PAGE.partition("## All words")[2].partition("## Given")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|$", table, re.MULTILINE)) == HABITS


def test_the_page_says_where_things_are_given_as_the_errors_do():
    table = PAGE.partition("## Given elsewhere")[2]
    told = re.findall(r"^\| `([\w-]+)` \| (.+) \|$", table, re.MULTILINE)
    plain = {name.lower().strip("-").replace("-", "_"): where for name, where in told}
    assert plain == ARGUMENTS | ATTRIBUTES | NAMES | OPTIONS


@pytest.mark.parametrize("name", ["PPO", "A2C", "DQN"])
def test_the_defaults_that_differ_are_those_of_the_page(name):
    theirs = inspect.signature(getattr(stable_baselines3, name)).parameters
    ours = vars(getattr(agents, f"{name}Config")())
    differ = {
        word: (float(value), float(theirs[WORDS[word]].default))
        for word, value in ours.items()
        if word in WORDS
        and WORDS[word] in theirs
        and isinstance(value, float | int)
        and value != theirs[WORDS[word]].default
    }
    told = {w: (float(here), float(there)) for who, w, here, there in DEFAULTS if who == name}
    assert told == differ
