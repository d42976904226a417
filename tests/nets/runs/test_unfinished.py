"""What killed processes left half written goes; what is another's, or being written, stays."""

import os
import subprocess
import sys

import pytest

from nets.runs.folder import RunConfig, RunFolder


@pytest.fixture(scope="module")
def dead():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def fill(folder, *names):
    files = [folder / name for name in names]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("half")
    return files


def run_folder(path):
    run = RunFolder(path)
    run.config_type = RunConfig
    return run


def test_ours_go(tmp_path, dead):
    ours = fill(
        tmp_path,
        f".config.json.{dead}.tmp",
        f".metrics.csv.{os.getpid()}.tmp",  # of a process that had our number
        f".curve.png.{dead}.tmp",
        f"checkpoints/.0000000090.pt.{dead}.tmp",
        f"checkpoints/.interrupted.pt.{dead}.tmp",
        f"checkpoints/replay/.000000000090.pt.{dead}.tmp",
        f"best/.checkpoint.pt.{dead}.tmp",
        f"best/.evaluation.json.{dead}.tmp",
    )
    run_folder(tmp_path).clean()
    assert [file.name for file in ours if file.exists()] == []


def test_all_others_stay(tmp_path, dead):
    living = os.getppid()
    others = fill(
        tmp_path,
        ".keep.tmp",
        f".notes.txt.{dead}.tmp",
        f".download.{dead}.tmp",
        ".config.json.tmp",
        ".config.json.x.tmp",
        f"checkpoints/.thesis.pt.{dead}.tmp",
        f"checkpoints/.0000000090.pt.{living}.tmp",
        f"checkpoints/deep/.0000000090.pt.{dead}.tmp",
        f"other/.config.json.{dead}.tmp",
        f"other/checkpoints/.0000000090.pt.{dead}.tmp",
    )
    run_folder(tmp_path).clean()
    assert [file.name for file in others if not file.exists()] == []
