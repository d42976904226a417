"""`import nets` is for any torch project: it costs nothing, its blocks cost torch and no more."""

import ast
from pathlib import Path

import pytest
from fresh_process import printed_by

import nets

FILES = sorted(Path(nets.__file__).parent.rglob("*.py"))
OPTIONAL = ("gymnasium", "stable_baselines3", "sklearn", "matplotlib", "tensorboard", "numba")
OPTIONAL += ("tyro", "tqdm", "scipy", "PIL", "imageio", "wandb", "mlflow")


def test_importing_nets_loads_torch_and_no_optional_library(tmp_path):
    program = (
        "import sys, torch; before = set(sys.modules);"  # torch brings tqdm where that is installed
        "from nets import *; import nets.supervised.fit, nets.tracking.tracking;"
        f"print([m for m in {OPTIONAL!r} if m in sys.modules.keys() - before])"
    )
    assert printed_by(program, cwd=tmp_path) == "[]"


def test_importing_nets_and_what_trains_without_networks_costs_no_torch(tmp_path):
    program = (
        "import nets.shell.command_line, nets.runs.provenance, sys;print('torch' in sys.modules)"
    )
    assert printed_by(program, cwd=tmp_path) == "False"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_files_import_each_other_relatively_so_that_nets_can_be_vendored(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert node.module.split(".")[0] != "nets"
        if isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] != "nets" for alias in node.names)


def test_every_public_name_is_there_and_documented():
    for name in nets.__all__:
        assert getattr(nets, name).__doc__, name
    assert set(nets.__all__) <= set(dir(nets))


def test_the_bridge_to_stable_baselines3_is_imported_when_asked_for():
    assert "sb3_extractor" in dir(nets)
    assert nets.sb3_extractor.__module__ == "nets.sb3"
    with pytest.raises(AttributeError, match="'nets' has no attribute 'sb4_extractor'"):
        _ = nets.sb4_extractor
