"""A pytest plugin that looks for tests of each row which execute the files that the row names.

`SOUGHT` in the environment names a JSON file {row: {"tests": [...], "files": [...]}}; `HOLLOW` the
one that is written, {row: files} that none of the row's tests did. Of a row whose files are found
no more tests are run, and the test that found the last of them ends there: that it passes is seen
where the tests are run.
"""

import json
import os
import sys
from pathlib import Path

import pytest

SOUGHT = json.loads(Path(os.environ["SOUGHT"]).read_text())
RAN = set()


def sought_by(item):
    """Return the rows that a test may show, with their files."""
    test = item.nodeid.partition("[")[0]
    return {row: set(each["files"]) for row, each in SOUGHT.items() if test in each["tests"]}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Leave out, with its fixtures, what could show no more."""
    if not sought_by(item):
        pytest.skip("its rows have been seen")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Trace a test with its fixtures, until all that it may show has been seen."""
    sys.settrace(heeding(sought_by(item)))
    try:
        return (yield)
    finally:
        sys.settrace(None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Let the test, once its fixtures are made, go no further than it has to."""
    rows = sought_by(item)
    if not rows:
        pytest.skip("its rows have been seen")
    sys.settrace(heeding(rows, end=True))
    try:
        return (yield)
    finally:
        sys.settrace(None)


def run_by(frame):
    """Return the file of a call, and that of the class whose object it is a method of."""
    files = {frame.f_code.co_filename}
    if frame.f_code.co_varnames[:1] == ("self",):
        module = sys.modules.get(type(frame.f_locals.get("self")).__module__)
        files.add(getattr(module, "__file__", None))
    return files


def heeding(rows, end=False):
    """What notes the rows whose files are executed, and may end the test with the last of them."""

    def heed(frame, event, argument):
        if frame.f_code.co_name == "<module>":
            return
        ran = run_by(frame)
        for row in [row for row, files in rows.items() if files & ran]:
            rows[row] -= ran
            SOUGHT[row]["files"] = sorted(rows[row])
            if not rows[row]:
                rows.pop(row)
                SOUGHT.pop(row)
        if not rows:
            sys.settrace(None)
            if end:
                pytest.skip("its rows have been seen")

    return heed


def pytest_runtest_logreport(report):
    if report.when == "call" and report.passed:
        RAN.add(report.nodeid.partition("[")[0])


def pytest_sessionfinish():
    hollow = {row: each["files"] for row, each in SOUGHT.items() if {*each["tests"]} <= RAN}
    Path(os.environ["HOLLOW"]).write_text(json.dumps(hollow))
