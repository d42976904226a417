"""What needs a GPU runs without one too, on a device that is pretended."""

import os
import subprocess
import sys

import pytest
import torch
from command_runs import CLEAN, ROOT
from pretended_cuda import missing

MARK = "pytest.mark.cuda"  # to read a file costs a hundredth of collecting its tests


def pretended(test):
    """Leave a test out where there is a GPU, or where none can be pretended."""
    real = "there is a GPU, and the tests run on it"
    test = pytest.mark.skipif(torch.cuda.is_available(), reason=real)(test)
    return pytest.mark.skipif(bool(missing()), reason=missing())(test)


def check_on_a_pretended_gpu(folder, tmp_path):
    """Run all tests of a folder that need a GPU, in a process that has one of its own."""
    files = [
        path for path in (ROOT / "tests" / folder).rglob("test_*.py") if MARK in path.read_text()
    ]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers")])
    command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", "-p", "pretended_cuda"]
    result = subprocess.run(
        [*command, "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'there'}", *files],
        cwd=ROOT,
        env=CLEAN | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-1000:]
    assert " passed" in result.stdout
    assert " skipped" not in result.stdout
