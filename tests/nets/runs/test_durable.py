"""What a checkpoint counts on is on the device before the checkpoint is."""

import os
from pathlib import Path

import pytest

from nets.runs import durable
from nets.runs.checkpoint import save_json
from nets.runs.run_log import RunLog


@pytest.fixture
def synced(monkeypatch):
    """The files and folders that were waited for, in order."""
    paths, fsync = [], os.fsync

    def note(descriptor):
        paths.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(durable.os, "fsync", note)
    return paths


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs the names of descriptors")
def test_new_folders_are_entered_in_their_parents(tmp_path, synced):
    save_json(tmp_path / "a" / "b" / "c.json", {})
    names = [os.path.relpath(path, tmp_path) for path in synced]
    assert [name for name in names if not name.endswith(".tmp")] == [".", "a", "a/b"]
    save_json(tmp_path / "a" / "b" / "d.json", {})
    assert len(synced) == len(names) + 2  # the file, and its folder


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs the names of descriptors")
def test_rows_are_waited_for(tmp_path, synced):
    log = RunLog(tmp_path)
    log.write(10, {"loss": 1.0}, timed={})
    synced.clear()
    log.flush()
    log.close()
    assert synced == [str(tmp_path / "metrics.csv")]


def test_folders_that_a_system_does_not_open_are_not_waited_for(tmp_path, monkeypatch):
    """Windows has no descriptors of folders."""
    opened = os.open

    def open_files(path, *arguments, **settings):
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **settings)

    monkeypatch.setattr(durable.os, "open", open_files)
    save_json(tmp_path / "new" / "a.json", {"kept": 1})
    assert (tmp_path / "new" / "a.json").read_text().strip()


def test_where_a_signal_would_end_it_no_process_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "WINDOWS", True)
    monkeypatch.delattr(durable.os, "kill")
    left = tmp_path / ".a.json.1.tmp"
    left.touch()
    durable.remove_unfinished(tmp_path, ["a.json"])
    assert left.exists()  # its process may be alive


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs a folder that takes no file")
def test_a_place_is_one_that_a_file_can_be_made_at():
    """Also for root, whom the folder's rights allow all."""
    with pytest.raises(OSError, match=r"/proc/self/picture\.svg"):
        durable.require_place(Path("/proc/self/picture.svg"))
