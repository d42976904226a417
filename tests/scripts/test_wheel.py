"""The wheel, installed elsewhere, and life beside foreign packages of the same names."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("envs", "agents", "generative", "nets")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel in a folder of its own, and an environment in which only that folder counts."""
    home = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", home, ROOT]
    subprocess.run(build, check=True, capture_output=True, text=True)
    (wheel,) = home.glob("*.whl")
    site = home / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", site, wheel], check=True, capture_output=True, text=True)
    env = os.environ | {"PYTHONPATH": str(site), "SDL_VIDEODRIVER": "dummy"}
    return SimpleNamespace(wheel=wheel, site=site, env=env, command=site / "bin" / "dreamgym")


@pytest.fixture
def foreign(tmp_path):
    """A project with `envs/` and `agents/` of its own, and the same inside a package."""
    for name in ("envs", "agents", "myproject/envs"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("FOREIGN = True\n")
    return tmp_path


def python(installed, code, cwd, **environment):
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env=installed.env | environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_wheel_holds_the_packages_with_types_and_settings_and_nothing_else(installed):
    with zipfile.ZipFile(installed.wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert {"agents/presets.toml", "generative/presets.toml"} <= set(names)
    for package in PACKAGES:
        assert f"{package}/py.typed" in names


@pytest.mark.parametrize("package", PACKAGES)
def test_installed_package_is_imported_from_another_folder(package, installed, tmp_path):
    file = python(installed, f"import {package}; print({package}.__file__)", tmp_path)
    assert Path(file) == installed.site / package / "__init__.py"


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["train", "--list"], ["play", "--help"], ["train-generative", "--list"]],
)
def test_console_command_works_beside_foreign_packages(arguments, installed, foreign):
    result = subprocess.run(
        [installed.command, *arguments],
        cwd=foreign,
        env=installed.env,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    expected = {"--help": "commands:", "train": "dreamgym/Lake-v0", "play": "dreamgym play"}
    expected |= {"train-generative": "beta-tcvae"}
    assert expected[arguments[0]] in result.stdout


def test_console_command_trains_and_evaluates_beside_foreign_packages(installed, foreign):
    def run(*arguments):
        return subprocess.run(
            [installed.command, *arguments],
            cwd=foreign,
            env=installed.env,
            capture_output=True,
            text=True,
        )

    trained = run("train", "policy-iteration", "dreamgym/Cliff-v0", "--run", "r")
    assert trained.returncode == 0, trained.stderr
    assert "dreamgym evaluate r" in trained.stdout  # what to type next, as this one was typed
    evaluated = run("evaluate", "r", "--episodes", "2")
    assert "mean return         -13.000" in evaluated.stdout
    assert run("trian").returncode == 2


def test_python_started_in_a_foreign_project_finds_the_foreign_packages(installed, foreign):
    """What the README says: the folder that Python starts in comes before what is installed."""
    code = "import envs; print(getattr(envs, 'FOREIGN', False))"
    assert python(installed, code, foreign) == "True"
    # -P, or PYTHONSAFEPATH, takes that folder off the path
    assert python(installed, code, foreign, PYTHONSAFEPATH="1") == "False"


def test_a_foreign_envs_inside_a_package_never_collides(installed, foreign):
    for name in ("envs", "agents"):
        (foreign / name / "__init__.py").unlink()
        (foreign / name).rmdir()
    code = "import envs, myproject.envs; print(hasattr(envs, 'Dynamics'), myproject.envs.FOREIGN)"
    assert python(installed, code, foreign) == "True True"


def test_scripts_use_their_own_checkout_beside_foreign_packages(installed, foreign, tmp_path):
    """Foreign packages in the folder and on the path alike: `scripts/` belongs to its checkout."""
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / "train.py", "--list"],
        cwd=foreign,
        env=installed.env | {"PYTHONPATH": str(foreign)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "dreamgym/Lake-v0" in result.stdout
