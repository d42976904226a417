"""The one door of all commands: which exit code means what."""

import errno
import os
import signal
import sys
import threading

import pytest

from nets.shell.command_line import INTERRUPTED, CommandError, command, one_line


def end_by(number):
    os.kill(os.getpid(), number)
    return 0


def swallow(number):
    """End as trainings do: tidily."""
    try:
        os.kill(os.getpid(), number)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


@pytest.mark.parametrize("end", [end_by, swallow])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_exit_code_tells_which_signal_ended_a_command(end, number, code, capsys):
    assert command(lambda _: end(number))([]) == code
    assert capsys.readouterr().err == ("interrupted\n" if end is end_by else "")


def test_commands_in_commands_tell_it_too():
    inner = command(lambda _: swallow(signal.SIGTERM))
    assert command(inner)([]) == 143


def test_what_could_not_be_printed_is_told(monkeypatch, capsys):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert command(lambda _: print("figures") or 0)([]) == 2
    assert capsys.readouterr().err == "error: standard output: No space left on device\n"


def test_what_can_be_mended_is_told_in_one_line(capsys):
    def refuse(argv):
        raise CommandError(f"not {argv[0]}")

    assert command(refuse)(["so"]) == 2
    assert capsys.readouterr().err == "error: not so\n"


def test_errors_of_files_begin_with_the_file():
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/a/metrics.csv")
    assert one_line(full) == "runs/a/metrics.csv: No space left on device"
    assert one_line(FileNotFoundError("there is\nno run")) == "there is no run"
    assert one_line(KeyError()) == "KeyError"


def test_errors_of_files_in_other_threads_are_left_to_the_main_one(capsys):
    def run(_):
        for error in (OSError("full"), ValueError("wrong")):
            thread = threading.Thread(target=fail, args=[error])
            thread.start()
            thread.join()
        return 0

    def fail(error):
        raise error

    before, told = threading.excepthook, []
    threading.excepthook = lambda failed: told.append(str(failed.exc_value))
    try:
        command(run)([])
    finally:
        threading.excepthook = before
    assert told == ["wrong"]
