"""Processes side by side, also where there is no server to fork them from."""

import multiprocessing
import signal
from types import SimpleNamespace

from nets.process import parallel


def test_processes_are_spawned_where_there_is_no_fork_server(monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    monkeypatch.setattr(parallel, "signal", SimpleNamespace(SIGTERM=signal.SIGTERM))
    assert sorted(parallel.run_each(divmod, [(7, 2), (9, 4)], jobs=2)) == [0, 1]
