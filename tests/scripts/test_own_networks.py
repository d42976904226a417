"""A network and a schedule of one's own from the shell: trained, looked at, gone on with."""

import sys

import pytest

from agents.commands.evaluate import main as evaluate
from agents.commands.train import main as train
from generative.commands.sample import main as sample
from generative.commands.train import main as imagine

MINE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, space):
        super().__init__()
        self.layer = nn.Linear(4, 8)

    def forward(self, x):
        return self.layer(x)

class Codes(nn.Sequential):
    def __init__(self, shape):
        super().__init__(nn.Flatten(), nn.LazyLinear(8))

def rate(left):
    return 1e-3 * left
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("mine", None)


def forget():
    """Go on as in a process that has not imported it."""
    sys.modules.pop("mine", None)


def test_an_agent_with_an_own_network_takes_one_word_of_trust(here, capsys):
    options = "--config.encoder mine:Net+gru --config.learning-rate mine:rate --config.n-steps 8"
    begun = f"ppo CartPole-v1 --steps 128 --run own --eval-every 64 {options}".split()
    assert train(begun) == 0
    assert "--trust" in capsys.readouterr().out  # in what can be typed next
    for command, words in (
        (evaluate, ["own", "--episodes", "1"]),
        (train, ["--resume", "own", "--steps", "256"]),
    ):
        forget()
        assert command(words) == 2
        assert "the encoder 'mine:Net', which is not known" in capsys.readouterr().err
        assert "mine" not in sys.modules
        assert command([*words, "--trust"]) == 0
        capsys.readouterr()


def test_a_model_with_an_own_network_takes_one_word_of_trust(here, capsys):
    begun = "ae digits --steps 4 --run own --config.encoder mine:Codes"
    assert imagine(begun.split()) == 0
    assert "--trust" in capsys.readouterr().out
    forget()
    assert sample(["own", "--n", "4"]) == 2
    assert "the encoder 'mine:Codes', which is not known" in capsys.readouterr().err
    assert sample(["own", "--n", "4", "--trust"]) == 0


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--config.encoder mine:Nets", "did you mean 'Net'"),
        ("--config.encoder mine:rate", "cannot be made"),
        ("--config.encoder nowhere:Net", "cannot import 'nowhere'"),
        ("--config.learning-rate mine:rates", "did you mean 'rate'"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(here, capsys, option, message):
    assert train(f"ppo CartPole-v1 --steps 64 --run own {option}".split()) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len([line for line in error.splitlines() if line.startswith("error")]) == 1
    assert not (here / "own" / "config.json").exists()
