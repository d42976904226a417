"""What a checkpoint counts on is on the device before the checkpoint is."""

import os

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
