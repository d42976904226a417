"""What a package shows at its door: one list, the stub, for type checkers and for Python."""

import ast
from importlib.util import resolve_name
from pathlib import Path

import pytest
from command_runs import ROOT
from fresh_process import printed_by

import agents
import envs
import generative
import nets

DOORS = {"agents": agents, "generative": generative, "nets": nets}


def declared(package):
    """Return what the stub declares, as (module, name)."""
    stub = Path(package.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    return [
        (node.module, alias)
        for node in ast.parse(stub).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]


@pytest.mark.parametrize("package", DOORS.values(), ids=DOORS)
def test_every_name_of_the_stub_is_there_under_that_name(package):
    for module, alias in declared(package):
        assert alias.asname == alias.name  # a re-export to type checkers
        assert getattr(package, alias.name) is not None
        assert alias.name in dir(package)
        assert alias.name in package.__all__ or "sb3" in module


STUBS = [*ROOT.glob("*/__init__.pyi"), *ROOT.glob("*/*/__init__.pyi")]


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: stub.parent.name)
def test_no_file_goes_through_a_lazy_door_of_its_own_package(stub):
    """Circles through such a door are seen by nobody else: the import comes when it is used."""
    door = ".".join(stub.parent.relative_to(ROOT).parts)
    public = {
        alias.asname or alias.name
        for node in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for file in (ROOT / door.partition(".")[0]).rglob("*.py"):
        package = ".".join(file.relative_to(ROOT).parent.parts)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = {alias.name for alias in getattr(node, "names", ()) if hasattr(alias, "name")}
            if isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                assert resolve_name(module, package) != door or not public & names, file
            if isinstance(node, ast.Import):
                assert door not in names, file


@pytest.mark.parametrize("package", DOORS)
def test_all_public_names_can_be_had_without_stable_baselines3(package, tmp_path):
    program = "import sys; sys.modules['stable_baselines3'] = None;"
    assert printed_by(f"{program} from {package} import *; print('all')", cwd=tmp_path) == "all"


@pytest.mark.parametrize("package", DOORS.values(), ids=DOORS)
def test_a_wrong_name_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match=f"'{package.__name__}' has no attribute 'Wrong'"):
        _ = package.Wrong


@pytest.mark.parametrize(
    ("package", "name", "meant"),
    [
        (agents, "PPOO", "PPO"),
        (generative, "Vae", "VAE"),
        (nets, "MPL", "MLP"),
        (envs, "Grd", "Grid"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(package, name, meant):
    with pytest.raises(AttributeError) as error:
        getattr(package, name)
    message = f"module {package.__name__!r} has no attribute {name!r}; did you mean {meant!r}?"
    assert str(error.value) == message


def test_names_of_other_packages_are_answered_with_what_does_it_here():
    with pytest.raises(AttributeError) as error:
        _ = agents.RecurrentPPO
    told = "module 'agents' has no attribute 'RecurrentPPO': it is PPO with a memory"
    assert str(error.value) == f"{told}, PPOConfig(encoder='lstm')"


@pytest.mark.parametrize("package", DOORS)
def test_a_door_costs_no_torch(package, tmp_path):
    program = f"import {package}, sys; print('torch' in sys.modules)"
    assert printed_by(program, cwd=tmp_path) == "False"


def test_all_packages_are_of_one_version():
    assert agents.__version__ == generative.__version__ == nets.__version__ == envs.__version__
