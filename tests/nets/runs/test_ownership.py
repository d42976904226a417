"""One folder, one owner: who is refused, what is said, and when the folder is free again."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import types
from contextlib import contextmanager, suppress

import pytest
from command_runs import ROOT

from nets.runs import ownership
from nets.runs.ownership import LOCK, Occupied, owned, owned_file, require_free
from nets.shell.command_line import OCCUPIED, command

OWN = """
import os, signal, sys
from pathlib import Path
from nets.runs.ownership import owned

with owned(Path(sys.argv[1])):
    child = os.fork() if "fork" in sys.argv else -1
    if child <= 0:  # the child says it itself, once it has let go of what it inherited
        print(child or os.getpid(), flush=True)
    signal.pause()
"""


@contextmanager
def owner(folder, *arguments):
    """A process that owns the folder until it is killed, and the number of its child."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWN, str(folder), *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(process.stdout.readline())
    try:
        yield process, child
    finally:
        process.kill()
        if child > 0:
            os.kill(child, signal.SIGKILL)
        process.communicate()


def test_another_process_is_refused_and_told_who_is_there(tmp_path):
    with owner(tmp_path) as (process, _):
        who = re.escape(f"process {process.pid} on {socket.gethostname()}, 2")
        with pytest.raises(Occupied, match=who), owned(tmp_path):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        with owned(tmp_path):  # though what the dead one wrote is still there
            pass


def test_children_that_outlive_the_owner_hold_nothing(tmp_path):
    with owner(tmp_path, "fork") as (process, child):
        with pytest.raises(Occupied), owned(tmp_path):
            pass
        process.kill()
        process.wait()
        os.kill(child, 0)  # it lives
        with owned(tmp_path):
            pass


def test_one_process_owns_a_folder_once(tmp_path):
    with owned(tmp_path / "new" / "run"):
        told = rf"new/run has an owner: process {os.getpid()} on "
        with pytest.raises(Occupied, match=told), owned(tmp_path / "new" / "run"):
            pass
        with owned(tmp_path / "new"):
            pass
    with owned(tmp_path / "new" / "run"):
        pass


def test_a_block_that_fails_lets_go(tmp_path):
    with suppress(KeyError), owned(tmp_path):
        raise KeyError
    with owned(tmp_path):
        pass


def test_a_lock_that_leads_elsewhere_is_not_followed(tmp_path):
    (tmp_path / "mine").write_text("precious")
    (tmp_path / LOCK).symlink_to(tmp_path / "mine")
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)), owned(tmp_path):
        pass
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without named pipes")
def test_a_pipe_is_no_lock_and_nobody_waits_at_it(tmp_path):
    os.mkfifo(tmp_path / LOCK)
    require_free(tmp_path)
    with pytest.raises(OSError, match=r"\.dreamgym\.lock is no file"), owned(tmp_path):
        pass


def test_a_file_has_an_owner_and_its_neighbours_have_others(tmp_path):
    with (
        owned_file(tmp_path / "a.pt"),
        owned_file(tmp_path / "b.pt"),
        pytest.raises(Occupied, match=r"a\.pt has an owner"),
        owned_file(tmp_path / "a.pt"),
    ):
        pass
    with owned_file(tmp_path / "a.pt"):
        pass


def test_who_only_looks_writes_nothing(tmp_path):
    require_free(tmp_path)
    assert not list(tmp_path.iterdir())
    with owned(tmp_path):
        before = (tmp_path / LOCK).read_bytes()
        with pytest.raises(Occupied, match="has an owner: process"):
            require_free(tmp_path)
    require_free(tmp_path)
    assert (tmp_path / LOCK).read_bytes() == before


def test_file_systems_without_locks_are_warned_of(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(ownership.fcntl, "flock", refuse)
    with pytest.warns(UserWarning, match="cannot be locked \\(No locks"), owned(tmp_path):
        pass


def test_commands_say_so_and_may_be_tried_again(tmp_path, capsys):
    @command
    def train(argv):
        with owned(tmp_path):
            return 0

    with owned(tmp_path):
        assert train([]) == OCCUPIED
    assert "occupied: " in capsys.readouterr().err
    assert train([]) == 0


def test_windows_locks_are_used_where_there_are_no_others(tmp_path, monkeypatch):
    locked = set()

    def lock(descriptor, mode, count):
        file = os.fstat(descriptor).st_ino
        if file in locked:
            raise PermissionError(13, "Permission denied")
        locked.add(file)

    monkeypatch.setattr(ownership, "fcntl", None)
    windows = types.SimpleNamespace(LK_NBLCK=2, locking=lock)
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    with owned(tmp_path):
        assert (tmp_path / LOCK).read_text().startswith(f"process {os.getpid()} on ")
        with pytest.raises(Occupied, match="has an owner: process"), owned(tmp_path):
            pass
