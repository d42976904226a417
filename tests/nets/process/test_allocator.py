"""Freed memory stays with the process, unless somebody has said what is to become of it."""

import platform

import pytest
from fresh_process import printed_by

from nets.process.allocator import keep_freed_memory

FAULTS = """
import resource
from nets.process.allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        blocks = [b"." * 8_000_000 for _ in range(3)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = faults()
assert keep_freed_memory()
faults()
print(before, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_step_asks_the_system_for_no_page_that_the_last_one_had(monkeypatch):
    before, after = map(int, printed_by(FAULTS).split())
    assert after < 100 < 3 * 1_000 < before  # a block has 1,953 pages
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "131072")
    assert not keep_freed_memory.__wrapped__()
