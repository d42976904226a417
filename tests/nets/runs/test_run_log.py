import errno
import signal

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nets.runs.run_log import RunLog


def test_timed_figures_go_to_tensorboard_alone_and_rows_past_the_resumed_step_go(tmp_path):
    log = RunLog(tmp_path)
    for step in (10, 20):
        log.write(step, {"loss": 1.0 / step}, timed={"rows_per_second": 5.0})
    log.pictures(10, {"samples": np.zeros((2, 3, 3), np.uint8)})
    log.close()
    log = RunLog(tmp_path, resume_step=10)
    log.write(30, {"loss": 0.5}, timed={})
    log.flush()
    assert (tmp_path / "metrics.csv").read_text() == "step,loss\n10,0.1\n30,0.5\n"
    events = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0}).Reload()
    assert [event.step for event in events.Scalars("loss")] == [10, 30]
    assert [event.value for event in events.Scalars("rows_per_second")] == [5.0]
    assert events.Tags()["images"] == ["samples"]
    log.close()


def test_ctrl_c_waits_until_the_row_is_written(tmp_path):
    log, told = RunLog(tmp_path), []

    class Interrupting(dict):
        def items(self):
            signal.raise_signal(signal.SIGINT)
            return super().items()

    previous = signal.signal(signal.SIGINT, lambda *_: told.append(written(tmp_path)))
    try:
        log.write(1, Interrupting(loss=2.0), timed={})
    finally:
        signal.signal(signal.SIGINT, previous)
        log.close()
    assert told[0] == ["1,2.0"]


def written(folder):
    file = folder / "metrics.csv"
    return file.read_text().splitlines()[1:] if file.exists() else []


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = RunLog()
    log.write(1, {"loss": 1.0}, timed={"rows_per_second": 1.0})
    log.pictures(1, {"samples": np.zeros((2, 3, 3), np.uint8)})
    log.flush()
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_of_the_file_that_was_written(tmp_path, monkeypatch):
    log, full = RunLog(tmp_path), OSError(errno.ENOSPC, "No space left on device")

    def fail(*_):
        raise full

    try:
        monkeypatch.setattr(log._board, "scalars", fail)
        with pytest.raises(OSError, match="events") as told:
            log.write(1, {"loss": 2.0}, timed={})
        assert told.value.filename == str(tmp_path / "events.*")
        full.filename = None
        monkeypatch.setattr(log._file, "write", fail)
        with pytest.raises(OSError, match="metrics") as told:
            log.write(2, {"loss": 2.0}, timed={})
        assert told.value.filename == str(tmp_path / "metrics.csv")
    finally:
        log.close()
