"""Errors of foreign code: a note says whose they are, and nobody takes them for the person's."""

import re

import pytest

from nets.foreign import blame, blamed, blaming, is_foreign
from nets.returned import InvalidExperience
from nets.shell.command_line import CommandError, command, told


def test_an_error_stays_itself_and_says_whose_it_is():
    error = FileNotFoundError(2, "No such file or directory", "level7.dat")
    assert not is_foreign(error)
    assert blamed(blamed(error, "Maze-v0 after 3 steps"), "somebody else") is error
    assert is_foreign(error)
    assert error.__notes__ == ["raised by Maze-v0 after 3 steps, whose code is not ours"]


def test_the_end_of_the_process_becomes_an_error_and_ctrl_c_stays():
    with (
        pytest.raises(RuntimeError, match=r"sys.exit\(0\) was called") as error,
        blaming("Maze-v0"),
    ):
        raise SystemExit(0)
    assert is_foreign(error.value)

    class Halt(BaseException):
        pass

    with pytest.raises(Halt) as halt, blaming("Maze-v0"):
        raise Halt
    assert is_foreign(halt.value)
    with pytest.raises(KeyboardInterrupt), blaming("Maze-v0"):
        raise KeyboardInterrupt


def test_what_we_refuse_to_learn_from_is_not_their_error():
    with pytest.raises(InvalidExperience) as error, blaming("Maze-v0"):
        raise InvalidExperience("Maze-v0 returned the reward nan at step 3")
    assert not is_foreign(error.value)


@pytest.mark.parametrize("kind", [OSError, MemoryError])
def test_only_our_own_errors_are_told_in_one_line(kind, capsys):
    with pytest.raises(CommandError, match="full"), told(kind):
        raise kind("full")

    def fail(_):
        with told(OSError), blaming("Maze-v0"):
            raise kind("lost")

    with pytest.raises(kind, match="lost"):
        command(fail)([])
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [MemoryError("8 EiB"), RuntimeError("can't allocate memory: 16000000000 bytes")]
)
def test_memory_that_is_not_there_is_told_in_one_line(error, capsys):
    def fail(_):
        raise error

    assert command(fail)([]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: not enough memory: ")
    assert told.count("\n") == 1


def test_an_error_of_others_is_told_with_its_place_and_what_their_table_has():
    def find(name):
        return TABLES[name]

    with pytest.raises(KeyError) as error:
        find("9x9")
    told = blame(error.value)
    assert re.fullmatch(
        r"its own code raised KeyError: '9x9', expected one of '4x4', '8x8' "
        r"\(test_foreign.py, line \d+\)",
        told,
    )
    with pytest.raises(ValueError, match="two") as error:
        raise ValueError("one\ntwo")
    assert blame(error.value).startswith("its own code raised ValueError: one two (test_foreign.py")


TABLES = {"4x4": 1, "8x8": 2}
