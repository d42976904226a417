"""A shell is told of a warning in one line."""

import subprocess
import sys
import warnings

import pytest

from nets.shell.command_line import command

PROGRAM = """
import sys, warnings
from tqdm import tqdm
from nets.shell.command_line import command

@command
def main(argv):
    with tqdm(total=3, ascii=True) as bar:
        bar.update()
        warnings.warn("two\\nlines", stacklevel=1)
    return 0

sys.exit(main([]))
"""


@pytest.mark.parametrize("said", ["two\nlines", "\x1b[33mWARN: two lines\x1b[0m"])
def test_a_warning_is_one_sentence(said):
    before, told = warnings.formatwarning, []

    def main(argv):
        told.append(warnings.formatwarning(UserWarning(said), UserWarning, "mine.py", 3))
        return 0

    assert command(main)([]) == 0
    assert told == ["warning: two lines\n"]
    assert warnings.formatwarning is before


def test_a_warning_has_a_line_of_its_own_beside_bars_of_progress():
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    assert b"\rwarning: two lines" in result.stderr
    assert b"stacklevel" not in result.stderr
    assert not result.stdout
