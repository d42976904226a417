"""Help is cheap and shows what to type."""

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from command_runs import ROOT, undocumented
from fresh_process import printed_by

import agents
from agents.algorithms import ALGORITHMS
from agents.commands.evaluate import EvaluateOptions
from agents.commands.options import TrainOptions
from agents.commands.render import RenderOptions
from agents.commands.train import main as train
from agents.dqn.config import DQNConfig
from agents.presets import find_preset
from generative.catalogue import MODELS, WORLD
from nets.shell.main import main as dreamgym
from nets.shell.run_options import ResumeOptions

COMMANDS = sorted(point.name for point in entry_points(group="dreamgym.commands"))
HEAVY = ["torch", "gymnasium", "pygame", "matplotlib", "sklearn", "numba", "stable_baselines3"]
RUN = """
import runpy, sys
sys.argv = {argv!r}
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as stop:
    assert stop.code == 0, stop.code
heavy = [m for m in {heavy!r} if m in sys.modules]
assert not heavy, heavy
"""
EVERY = """
import sys
from {command} import main
for first in {firsts!r}:
    try:
        main([first, "--help"])
    except SystemExit as stop:
        assert stop.code == 0, stop.code
    heavy = [m for m in {heavy!r} if m in sys.modules]
    assert not heavy, (first, heavy)
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_script_help_imports_nothing_heavy(name, tmp_path):
    file = f"{name.replace('-', '_')}.py"
    script = str(ROOT / "scripts" / file)
    code = RUN.format(argv=[script, "--help"], heavy=HEAVY)
    printed = printed_by(code, cwd=tmp_path)
    assert "examples:" in printed
    assert file in printed


def test_dispatcher_help_names_every_command_and_imports_nothing_heavy(tmp_path):
    code = (
        "import sys; from nets.shell.main import main; assert main(['--help']) == 0;"
        "assert 'torch' not in sys.modules and 'gymnasium' not in sys.modules"
    )
    printed = printed_by(code, cwd=tmp_path)
    for name in COMMANDS:
        assert f"\n  {name} " in printed
    assert "Train an agent on an environment." in printed  # the module's own first line


@pytest.mark.parametrize("command", ["agents.commands.train", "generative.commands.train"])
def test_help_of_every_algorithm_and_of_every_model_imports_nothing_heavy(command, tmp_path):
    firsts = {"agents": [*ALGORITHMS], "generative": [*MODELS, WORLD.name]}[command.split(".")[0]]
    printed = printed_by(EVERY.format(command=command, firsts=firsts, heavy=HEAVY), cwd=tmp_path)
    assert printed.count("--config.") > 3 * len(firsts)


def test_help_of_a_world_makes_it_and_imports_no_torch(tmp_path):
    """Which settings suit a world is known only once it is made."""
    code = EVERY.replace("[first,", "['world', first,").format(
        command="generative.commands.train", firsts=["CartPole-v1"], heavy=["torch", "matplotlib"]
    )
    assert "(default: 2000)" in printed_by(code, cwd=tmp_path)


@pytest.mark.parametrize("name", ["dreaming", "hero", "illustrations", "latents", "transfer"])
def test_help_of_a_long_script_imports_no_torch(name, tmp_path):
    script = str(ROOT / "scripts" / f"{name}.py")
    heavy = ["torch", "matplotlib"]
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r})\n"
    code += RUN.format(argv=[script, "--help"], heavy=heavy)
    assert "examples:" in printed_by(code, cwd=tmp_path)


def test_help_of_every_demo_imports_no_torch(tmp_path):
    """All of them in one process, each as it is run."""
    folder = ROOT / "scripts" / "demos"
    demos = sorted(file for file in map(str, folder.glob("*.py")) if "picture" not in file)
    code = f"""
import contextlib, io, runpy, sys
sys.path.insert(0, {str(folder)!r})
for file in {demos!r}:
    sys.argv, said = [file, "--help"], io.StringIO()
    sys.modules.pop("begin", None)
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        runpy.run_path(file, run_name="__main__")
        raise AssertionError(file)
    assert "--theme" in said.getvalue(), file
    assert not {{"torch", "numpy", "matplotlib"}} & sys.modules.keys(), file
print(len({demos!r}))
"""
    assert printed_by(code, cwd=tmp_path) == str(len(demos))


@pytest.mark.parametrize("line", [["--version"], ["train", "--version"], ["verify", "--version"]])
def test_every_command_tells_its_version(line, capsys):
    assert dreamgym(line) == 0
    assert capsys.readouterr().out == f"dreamgym {agents.__version__}\n"


def test_help_has_a_help(capsys):
    assert dreamgym(["help", "help"]) == dreamgym(["help"]) == 0
    once = capsys.readouterr().out
    assert once[: len(once) // 2] == once[len(once) // 2 :]


def test_help_of_an_algorithm_shows_its_settings_with_the_preset_as_defaults(capsys):
    with pytest.raises(SystemExit) as stop:
        train(["dqn", "CartPole-v1", "--help"])
    assert stop.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "The defaults below are the preset for dqn on CartPole-v1." in text
    preset = find_preset("dqn", "CartPole-v1")
    assert f"--steps INT Environment steps. (default: {preset.steps})" in text
    target_every = preset.settings["target_every"]
    assert target_every != DQNConfig().target_every
    assert re.search(
        rf"--config.target-every INT [^(]*\(hard updates\). \(default: {target_every}\)", text
    )


def test_help_without_a_preset_shows_the_algorithm_s_own_defaults(capsys):
    with pytest.raises(SystemExit):
        train(["dqn", "Pong-v0", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    hidden = " ".join(map(str, DQNConfig().hidden))
    assert f"Hidden layers of the MLP. (default: {hidden})" in text
    assert "Presets for dqn: name one of" in text
    assert "CartPole-v1" in text


def test_list_names_algorithms_our_environments_and_presets(capsys):
    assert train(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in ("dqn", "q-learning", "policy-iteration"):
        assert any(line.split()[:1] == [name] for line in lines)
    for env_id in ("dreamgym/Lake-v0", "dreamgym/Maze-v0", "dreamgym/Catch-v0"):
        assert f"  {env_id}" in lines
    environments = lines[lines.index("environments, besides Gymnasium's:") + 1 :]
    environments = environments[: environments.index("")]
    assert all(line.startswith("  dreamgym/") for line in environments)
    assert any(line.split() == ["dqn", "CartPole-v1"] for line in lines)
    assert any(line.split() == ["dqn", "--preset", "rainbow"] for line in lines)


def test_dispatcher_passes_arguments_on(capsys):
    assert dreamgym(["train", "--list"]) == 0
    assert "algorithms:" in capsys.readouterr().out


@pytest.mark.parametrize("options", [TrainOptions, ResumeOptions, EvaluateOptions, RenderOptions])
def test_every_option_is_on_the_page_of_the_commands(options):
    positional = {"algo", "env", "config"} if options is TrainOptions else {"run"}
    assert not undocumented(options, positional)


def test_another_package_adds_a_command(tmp_path):
    """What docs/scripts.md says: an entry point is all it takes."""
    (tmp_path / "tidy.py").write_text(
        '"""Put things in order."""\n\n'
        'def main(argv=None):\n    print("tidied", *argv)\n    return 7\n'
    )
    info = tmp_path / "tidy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tidy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dreamgym.commands]\ntidy = tidy:main\n")

    def dreamgym(*arguments):
        code = "import sys; from nets.shell.main import main; sys.exit(main())"
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    assert "  tidy             Put things in order.\n" in dreamgym("--help").stdout
    result = dreamgym("tidy", "a", "b")
    assert (result.returncode, result.stdout) == (7, "tidied a b\n")
