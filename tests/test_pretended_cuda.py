"""What needs a GPU runs without one too, on a device that is pretended."""

import os
import subprocess
import sys

import pytest
import torch
from command_runs import CLEAN, ROOT
from pretended_cuda import missing

MARK = "pytest.mark.cuda"  # to read a file costs a hundredth of collecting its tests


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU, and the tests run on it")
@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize("folder", ["agents", "generative", "nets", "scripts"])
def test_all_that_needs_a_gpu_runs_on_a_pretended_one(folder, tmp_path):
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
