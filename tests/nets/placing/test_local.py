"""Processes side by side, also where there is no server to fork them from."""

import multiprocessing
import os
import signal
import time
from contextlib import closing
from types import SimpleNamespace

import pytest

from nets.placing import local
from nets.placing.calls import CallError
from nets.placing.each import run_each
from nets.placing.local import Local


def test_processes_are_spawned_where_there_is_no_fork_server(monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    monkeypatch.setattr(local, "signal", SimpleNamespace(SIGTERM=signal.SIGTERM))
    assert sorted(run_each(divmod, [(7, 2), (9, 4)], Local(2))) == [0, 1]


def test_a_call_that_fails_is_told_by_its_own_words():
    with pytest.raises(CallError, match=r"^ZeroDivisionError: ") as caught:
        list(run_each(divmod, [(7, 2), (7, 0)]))
    assert caught.value.index == 1


def note(file, name):
    file.write_text(os.environ.get(name, "none"))


def test_a_call_sees_the_environment_as_it_is_when_it_begins(tmp_path, monkeypatch):
    """The server that processes are forked from has that of its own beginning."""
    files = [tmp_path / str(number) for number in range(3)]
    for number, file in enumerate(files[:2]):
        monkeypatch.setenv("OF_A_CALL", str(number))
        assert list(run_each(note, [(file, "OF_A_CALL")])) == [0]
    monkeypatch.delenv("OF_A_CALL")
    assert list(run_each(note, [(files[2], "OF_A_CALL")])) == [0]
    assert [file.read_text() for file in files] == ["0", "1", "none"]


def linger(file):
    file.write_text(str(os.getpid()))
    time.sleep(600)


def test_leaving_ends_what_still_runs(tmp_path):
    files = [tmp_path / "first", tmp_path / "second"]

    def begun():
        if all(file.exists() and file.read_text() for file in files):
            raise KeyboardInterrupt

    calls = run_each(linger, [(file,) for file in files], Local(2), begun, every=0.02)
    with closing(calls), pytest.raises(KeyboardInterrupt):
        next(calls)
    for file in files:
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.read_text()), 0)
