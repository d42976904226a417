import re

import pytest

from agents.commands.compare import main as compare
from agents.commands.train import main as train
from agents.commands.tune import main as tune

LINE = ["q-learning", "FrozenLake-v1", "--steps", "400", "--eval-episodes", "2", "--out", "t"]


def test_a_study_is_run_told_and_trained_with(run_in, capfd):
    assert tune([*LINE, "--trials", "3"]) == 0
    out = capfd.readouterr().out
    assert out.startswith("3 trials, 3 to do, into t\n")
    assert "3 trials to their end, 0 pruned, 0 failed" in out
    assert re.search(r"train.* q-learning FrozenLake-v1 --preset t/best.toml", out)
    assert tune([*LINE, "--trials", "3"]) == 0
    assert "3 trials, 0 to do" in capfd.readouterr().out
    assert train(["q-learning", "FrozenLake-v1", "--preset", "t/best.toml", "--run", "r"]) == 0
    assert "400 steps" in capfd.readouterr().out


def test_a_place_that_is_not_there_is_refused_before_anything_is_said(run_in, monkeypatch, capfd):
    pytest.importorskip("submitit", reason="needs dreamgym[slurm]")
    monkeypatch.setenv("PATH", "")
    assert tune([*LINE, "--trials", "1", "--on", "slurm"]) == 2
    said = capfd.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert 'Could not detect "srun"' in said.err
    assert not (run_in / "t").exists()


def test_what_cannot_be_tuned_is_refused_in_one_line(run_in, capfd):
    for words, message in (
        (["--space", "lerning-rate=1..2"], "did you mean 'learning_rate'"),
        (["--storage", "nonsense"], "no study at nonsense"),
        (["--trials", "0"], "trials is 0: expected at least 1"),
    ):
        assert tune([*LINE, *words]) == 2
        assert message in capfd.readouterr().err
    assert tune(["ppo,a2c", "CartPole-v1"]) == 2
    assert "one algorithm is tuned at a time" in capfd.readouterr().err
    assert tune(["value-iteration", "FrozenLake-v1"]) == 2
    assert "it has no learning curve" in capfd.readouterr().err
    assert tune(["dqn", "Pendulum-v1"]) == 2
    assert "Discrete" in capfd.readouterr().err
    assert train(["ppo", "CartPole-v1", "--preset", "none.toml"]) == 2
    assert "none.toml holds no presets" in capfd.readouterr().err


@pytest.mark.parametrize("command", [compare, tune])
def test_what_a_training_lacks_is_refused_before_any_begins(run_in, command, capfd):
    contender = "bc:demonstrations=nowhere/expert-v0"
    assert command([contender, "CartPole-v1", "--steps", "100", "--out", "t"]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "nowhere/expert-v0" in said.err
    assert not (run_in / "t").exists()


def test_what_stands_behind_the_algorithm_is_kept_by_all_trials(run_in, capfd):
    line = ["q-learning:discount=0.7", *LINE[1:]]
    assert tune([*line, "--trials", "2"]) == 0
    assert "discount = 0.7" in (run_in / "t/best.toml").read_text()
    assert "discount" not in capfd.readouterr().out
    assert tune([*line, "--trials", "2", "--space", "discount=0.5,0.9"]) == 2
    assert "discount is kept at 0.7 and sought, too" in capfd.readouterr().err
