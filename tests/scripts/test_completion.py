"""The Tab key completes what the commands' own help and lists say."""

import shutil
import subprocess
import sys
from dataclasses import fields
from importlib.metadata import entry_points

import pytest
from command_runs import ROOT
from fresh_process import printed_by

from agents.algorithms import ALGORITHMS
from nets.shell.completion import SHELLS, candidates
from nets.shell.main import main as dreamgym

COMMANDS = {point.name: point for point in entry_points(group="dreamgym.commands")}


def completed(line):
    return candidates(COMMANDS, line.split(" "))


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("tr", ["train", "train-generative"]),
        ("help ver", ["verify"]),
        ("completion ", ["bash", "fish", "zsh"]),
        ("train pp", ["ppo"]),
        ("train ppo dreamgym/Ca", ["dreamgym/CartPole-v0", "dreamgym/Catch-v0"]),
        ("train ppo CartPole-v1 --config.cl", ["--config.clip"]),
        ("train ppo CartPole-v1 --device ", ["auto", "cpu", "cuda"]),
        ("train-generative vae digits --fit c", ["crop"]),
        ("train-generative d", ["dcgan"]),
        ("train-generative vae di", ["digits"]),
        ("train-generative vae dc", []),
        ("tune dqn Cart", ["CartPole-v1"]),
        ("compare ppo,dq", ["ppo,dqn"]),
        ("train --resume r", []),  # a folder
        ("train ppo --config.encoder ", []),
        ("evaluate runs/", []),
        ("nothing ", []),
    ],
)
def test_words_are_completed(line, some):
    assert completed(line) == some


@pytest.mark.parametrize("name", ["ppo", "dqn", "q-learning", "value-iteration", "sb3-sac"])
def test_every_algorithm_has_settings_of_its_own(name):
    options = completed(f"train {name} CartPole-v1 --config.")
    settings = (field.name for field in fields(ALGORITHMS[name].config_type()))
    assert {f"--config.{each.replace('_', '-')}" for each in settings} <= set(options)


def test_options_come_without_torch(tmp_path):
    printed = printed_by(
        "import sys\nfrom nets.shell.main import main\n"
        "main(['__complete', 'train', 'ppo', 'CartPole-v1', '--config.e'])\n"
        "assert not {'torch', 'gymnasium'} & set(sys.modules)",
        cwd=tmp_path,
    )
    assert "--config.epochs" in printed.splitlines()


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("dreamgym train pp", ["ppo"]),
        ("dreamgym train-generative vae sprites:shape,s", ["shape,scale,x,y"]),
    ],
)
def test_bash_completes(line, reply, tmp_path):
    program = tmp_path / "dreamgym"
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
    code += "from nets.shell.main import main; sys.exit(main())"
    program.write_text(f"#!{sys.executable}\n{code}\n")
    program.chmod(0o755)
    script = f"""PATH={tmp_path}:$PATH
{SHELLS["bash"]}
COMP_LINE='{line}' COMP_POINT={len(line)}
_dreamgym
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == reply


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_read_theirs(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    subprocess.run([shell, "-n"], input=SHELLS[shell], text=True, check=True)


def test_what_shells_read_is_printed_and_others_are_refused(capsys):
    for shell in SHELLS:
        assert dreamgym(["completion", shell]) == 0
        assert capsys.readouterr().out == SHELLS[shell]
    assert dreamgym(["completion", "bsh"]) == 2
    assert "did you mean 'bash'?" in capsys.readouterr().err
