"""Whatever a person types, a command does it, or refuses it in one sentence with exit code 2."""

import re
from dataclasses import fields

import pytest

import agents.commands.train as agents_train
import generative.commands.train as generative_train
from agents.algorithms import ALGORITHMS
from agents.commands.compare import CompareOptions
from agents.commands.compare import main as compare
from agents.commands.evaluate import EvaluateOptions
from agents.commands.evaluate import main as evaluate
from agents.commands.export import ExportOptions
from agents.commands.export import main as export
from agents.commands.options import TrainOptions
from agents.commands.play import PlayOptions
from agents.commands.play import main as play
from agents.commands.render import RenderOptions
from agents.commands.render import main as render
from agents.commands.tune import TuneOptions
from agents.commands.tune import main as tune
from agents.loop.trainer import Trainer
from generative.catalogue import MODELS
from generative.commands.evaluate import main as measure
from generative.commands.options import TrainOptions as GenerativeOptions
from generative.commands.sample import SampleOptions
from generative.commands.sample import main as sample
from generative.commands.world_options import WorldOptions
from generative.training.trainer import Trainer as GenerativeTrainer
from nets.benchmarks.command import main as benchmark
from nets.benchmarks.options import BenchmarkOptions
from nets.shell.run_options import ResumeOptions
from nets.shell.verify import main as verify

VALUES = ("0", "-1", "1e400", "nan", "", "ünï", "1000000000", "-0.5", "None", "[]", "inf", "9" * 23)
WORDS = (True, "false", None, (), (1,), (1, 2, 3), [64], -1, 0, 10**9, 10**30, 1e400, float("nan"))
FLAGS = {"json", "live", "list", "fid", "traverse", "interpolate", "fetch_peers", "binarize"}


def options(kind, *apart):
    """The names of options that take a value."""
    names = [field.name for field in fields(kind)]
    return [name.replace("_", "-") for name in names if name not in {*FLAGS, *apart}]


def settings(kind):
    return [
        f"config.{field.name.replace('_', '-')}"
        for field in fields(kind)
        if field.name != "expert" and not isinstance(field.default, bool)
    ]


OF_TRAIN = options(TrainOptions, "algo", "env", "config", "steps")
OF_GENERATIVE = options(GenerativeOptions, "model", "data", "config", "steps")
COMMANDS = {
    "train": (agents_train.main, "q-learning FrozenLake-v1 --steps 40", OF_TRAIN),
    **{
        f"train {name}": (agents_train.main, f"{name} {world} --steps 40", settings(kind))
        for name, world in (("q-learning", "FrozenLake-v1"), ("dqn", "CartPole-v1"))
        for kind in [ALGORITHMS[name].config_type()]
    },
    "train ppo": (
        *(agents_train.main, "ppo Pendulum-v1 --steps 40"),
        settings(ALGORITHMS["ppo"].config_type()),
    ),
    "train --resume": (agents_train.main, "--resume nothing", options(ResumeOptions)),
    "train-generative": (generative_train.main, "vae ring --limit 50 --steps 4", OF_GENERATIVE),
    "train-generative vae": (
        *(generative_train.main, "vae ring --limit 50 --steps 4"),
        settings(MODELS["vae"].config_type()),
    ),
    "compare": (compare, "dqn,nothing CartPole-v1", options(CompareOptions, "contenders", "env")),
    "tune": (tune, "nothing CartPole-v1", options(TuneOptions, "algo", "env")),
    "evaluate": (evaluate, "nothing", options(EvaluateOptions, "run")),
    "evaluate a model": (measure, "nothing", ["seed", "checkpoint", "device"]),
    "render": (render, "nothing", options(RenderOptions, "run")),
    "export": (export, "nothing", options(ExportOptions, "run")),
    "sample": (sample, "nothing", options(SampleOptions, "run")),
    "verify": (verify, "nothing", []),
    "play": (play, "nothing", options(PlayOptions, "env")),
    "train-generative world": (
        *(generative_train.main, "world CartPole-v1 --steps 4"),
        options(WorldOptions, "model", "env", "config", "steps", "run"),
    ),
    **{
        f"train {name}": (agents_train.main, f"{name} {world} --steps 40", settings(kind))
        for name, world in (
            *(("a2c", "CartPole-v1"), ("reinforce", "CartPole-v1"), ("sarsa", "CliffWalking-v1")),
            *(("value-iteration", "FrozenLake-v1"), ("sb3-dqn", "CartPole-v1")),
        )
        for kind in [ALGORITHMS[name].config_type()]
    },
    "benchmark": (benchmark, "speed --list", options(BenchmarkOptions, "kind", "write")),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_obeyed_or_refused_in_one_sentence(name, run_in, monkeypatch, capsys):
    """Up to where work begins; every option gets two of the values, its neighbours others."""
    for trainer in (Trainer, GenerativeTrainer):
        monkeypatch.setattr(trainer, "run", lambda *_: None)
    monkeypatch.setattr(agents_train, "_finish", lambda *_: None)
    monkeypatch.setattr(generative_train, "_draw", lambda *_: None)
    main, line, known = COMMANDS[name]
    for number, option in enumerate(known):
        for value in (VALUES[number % len(VALUES)], VALUES[(5 * number + 2) % len(VALUES)]):
            folder = f"{number}{value}" if value.isalnum() else f"r{number}{len(value)}"
            place = ["--run", folder] if "--steps" in line and option != "run" else []
            code = main([*line.split(), *place, f"--{option}", value])
            told = capsys.readouterr().err
            assert code in (0, 2), (option, value, told)
            assert "Traceback" not in told
            if code == 2:
                rows = [row for row in told.splitlines() if not row.startswith("warning: ")]
                assert [row[:7] for row in rows] == ["error: "], (option, value, told)


@pytest.mark.parametrize("name", COMMANDS)
def test_misspelt_options_are_told_in_one_line_with_the_one_that_was_meant(name, run_in, capsys):
    """Every third option of each command, and each command: the parsers are all one."""
    main, line, known = COMMANDS[name]
    for option in known[::3]:
        assert main([*line.split(), f"--{option}x", "1"]) == 2
        told = capsys.readouterr().err
        if told.startswith("error: nothing is not a run folder"):
            continue  # which is looked at first
        assert re.fullmatch(
            rf"error: there is no option --{option}x: did you mean --[\w.-]+\?\n", told
        )


@pytest.mark.parametrize(
    "env_id", ["", " ", "..", ":", "..:X-v0", "a b:X-v0", "ünï-v0", "X-v0\n", "9"]
)
@pytest.mark.parametrize("main", [agents_train.main, play, compare])
def test_worlds_that_are_none_are_refused_in_one_sentence(main, env_id, run_in, capsys):
    line = {play: [], compare: ["dqn"]}.get(main, ["dqn"])
    assert main([*line, env_id]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("kind", [CompareOptions, EvaluateOptions, PlayOptions])
def test_every_command_that_is_given_a_world_checks_what_is_done_to_it(kind):
    named = {"run": "r"} if kind is EvaluateOptions else {"env": "CartPole-v1"}
    with pytest.raises(ValueError, match="max_episode_steps is -1: expected at least 1"):
        kind(**named, max_episode_steps=-1)


KINDS = {**ALGORITHMS, **MODELS}


@pytest.mark.parametrize("name", KINDS)
def test_python_refuses_with_the_name_the_value_and_what_was_expected(name):
    kind = KINDS[name].config_type()
    for field in fields(kind):
        for value in WORDS:
            try:
                made = kind(**{field.name: value})
            except ValueError as error:
                told = str(error)
                if not told.startswith("compile: "):  # which some models refuse for themselves
                    assert "expected" in told, (field.name, value)
                    assert told.partition(" is ")[0] in {each.name for each in fields(kind)}
            else:
                kept, default = getattr(made, field.name), field.default
                assert isinstance(kept, bool) == isinstance(default, bool), (field.name, value)
                assert isinstance(kept, tuple) == isinstance(default, tuple)


@pytest.mark.parametrize(
    ("kind", "name", "value", "expected"),
    [
        ("dqn", "double", "false", "True or False"),
        ("dqn", "value_range", (1.0,), "2 values"),
        ("dqn", "buffer_size", 10**12, "at most 100,000,000"),
        ("dqn", "hidden", (64, 10**9), "at most 1,048,576 for each"),
        ("dqn", "hidden", 64, "several values, as in (64,)"),
        ("dqn", "batch_size", True, "a whole number"),
        ("dqn", "activation", None, "text"),
        ("ppo", "log_std", 100.0, "a number in [-20, 5]"),
        ("ppo", "discount", 2, "a number in [0, 1]"),
        ("ppo", "discount", 10**400, "a number up to 9,007,199,254,740,992"),
        ("q-learning", "exploration_steps", 10**23, "a number up to 9,007,199,254,740,992"),
        ("vae", "betas", (0.9, 0.99, 0.999), "2 values"),
    ],
)
def test_what_makes_no_sense_is_refused(kind, name, value, expected):
    with pytest.raises(ValueError, match="expected") as error:
        KINDS[kind].config_type()(**{name: value})
    assert str(error.value) == f"{name} is {value!r}: expected {expected}"


def test_lists_become_tuples():
    assert ALGORITHMS["dqn"].config_type()(hidden=[8, 8]).hidden == (8, 8)
