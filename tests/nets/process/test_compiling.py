"""Functions that numba compiles: one process at a time reads and writes what it keeps of them."""

import sys
from importlib import import_module

import pytest

pytest.importorskip("numba")
fcntl = pytest.importorskip("fcntl")
MODULE = """
from nets.process.compiling import compiled

def adding(number):
    def add(value):
        return value + number
    return compiled(add)
"""


@pytest.fixture
def adding(tmp_path, monkeypatch):
    (tmp_path / "kept_by_numba.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("kept_by_numba").adding
    del sys.modules["kept_by_numba"]


def is_held(folder):
    """Whether somebody else would have to wait."""
    (place,) = folder.rglob("*.lock")
    with place.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_others_wait_while_a_function_is_compiled_and_kept(adding, tmp_path, monkeypatch):
    """Two that had both read the cache's index would give their functions the same file."""
    from numba.core.caching import IndexDataCacheFile

    save, held = IndexDataCacheFile._save_index, []

    def watched(self, overloads):
        held.append(is_held(tmp_path))
        save(self, overloads)

    monkeypatch.setattr(IndexDataCacheFile, "_save_index", watched)
    assert [adding(number)(1) for number in (1, 2)] == [2, 3]
    assert held == [True, True]
    assert not is_held(tmp_path)
    again = adding(2)
    assert again(1) == 3
    assert sum(again.stats.cache_hits.values()) == 1
