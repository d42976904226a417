"""Arguments, wrappers and time limits of environments, as commands take them."""

import json

import pytest
from leftovers import leaves

from agents.commands.compare import main as compare
from agents.commands.evaluate import main as evaluate
from agents.commands.options import parse_train
from agents.commands.train import main as train
from agents.commands.worlds import parse_wrapper
from nets.runs.checkpoint import load_checkpoint
from nets.shell.command_line import CommandError
from nets.shell.env_arguments import take_arguments

SHORT = ["--steps", "60", "--eval-every", "0"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8x8", "8x8"),
        ("12", 12),
        ("1e-3", 1e-3),
        ("true", True),
        ("False", False),
        ("none", None),
        ("['SF', 'FG']", ["SF", "FG"]),
        ("-1.5", -1.5),
        ("", ""),
        ("[" * 10_000, "[" * 10_000),
    ],
)
def test_values_are_numbers_truths_lists_or_text(text, value):
    words = ["ppo", "Name-v0", "--env.map-name", text, "--seed", "3"]
    assert take_arguments(words) == (["ppo", "Name-v0", "--seed", "3"], {"map_name": value})
    assert take_arguments([f"--env.map_name={text}"]) == ([], {"map_name": value})


def test_an_argument_without_a_value_is_true():
    assert take_arguments(["--env.a", "--env.b", "--steps", "3"]) == (
        ["--steps", "3"],
        {"a": True, "b": True},
    )


@pytest.mark.parametrize("word", ["--env.", "--env.a.b", "--env.1"])
def test_what_names_no_argument_is_refused(word):
    with pytest.raises(CommandError, match=f"{word} names no argument"):
        take_arguments([word, "3"])


def test_wrappers_have_names_and_arguments():
    assert parse_wrapper("FlattenObservation") == ("FlattenObservation", {})
    told = "mine.wrappers:Slow(seconds=0.5, names=['a'])"
    assert parse_wrapper(told) == ("mine.wrappers:Slow", {"seconds": 0.5, "names": ["a"]})


@pytest.mark.parametrize(
    "text", ["", "(a=1)", "A(", "A(1)", "A(**{})", "A(a=open('x'))", "A(a=1) + 2"]
)
def test_other_words_are_no_wrappers(text):
    with pytest.raises(CommandError, match="is no wrapper: expected Class, module:Class or"):
        parse_wrapper(text)


def test_wraps_add_up():
    words = ["ppo", "Pendulum-v1", "--wrap", "TimeAwareObservation", "--wrap", "FlattenObservation"]
    assert parse_train(words)[0].wrap == ("TimeAwareObservation", "FlattenObservation")


def test_a_run_records_what_was_asked_for_and_evaluates_on_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = "q-learning dreamgym/Cliff-v0 --env.is-slippery --max-episode-steps 7 --run run"
    assert train([*line.split(), *SHORT, "--wrap", "RecordEpisodeStatistics(buffer_length=3)"]) == 0
    recorded = json.loads((tmp_path / "run" / "config.json").read_text())["env"]
    assert recorded["kwargs"] == {"is_slippery": True}
    assert recorded["max_episode_steps"] == 7
    assert recorded["wrappers"] == [
        {
            "entry_point": "gymnasium.wrappers:RecordEpisodeStatistics",
            "kwargs": {"buffer_length": 3},
        }
    ]
    capsys.readouterr()
    assert evaluate(["run", "--episodes", "3"]) == 0
    assert "7.0 steps on average" in capsys.readouterr().out
    assert (
        evaluate(
            ["run", "--episodes", "3", "--max-episode-steps", "5", "--env.is-slippery", "false"]
        )
        == 0
    )
    assert "5.0 steps on average" in capsys.readouterr().out
    assert (
        evaluate(["run", "--on", "CliffWalking-v1", "--episodes", "2", "--max-episode-steps", "4"])
        == 0
    )
    assert "4.0 steps on average" in capsys.readouterr().out
    assert evaluate(["run", "--on", "CartPole-v1"]) == 2
    assert "the observation_space Box" in capsys.readouterr().err
    assert train(["--resume", "run", "--env.is-slippery", "false"]) == 2
    assert "the environment of a run stays as it was" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("FrozenLake-v1 --env.map-nam 8x8", "has no argument 'map_nam': did you mean 'map_name'?"),
        (
            "FrozenLake-v1 --env.map-name 9x9",
            "cannot be made with map_name='9x9': its own code raised KeyError: '9x9', "
            "expected one of '4x4', '8x8' (frozen_lake.py, line ",
        ),
        (
            "FrozenLake-v1 --env.is-slippery maybe",
            "is_slippery of FrozenLake-v1 is 'maybe': expected True or False, such as its default",
        ),
        ("FrozenLake-v1 --env.desc 3", "with desc=3: its own code raised ValueError: not enough"),
        ("Taxi-v4 --wrap FlatenObservation", "did you mean 'FlattenObservation'?"),
        (
            "Taxi-v4 --wrap ClipReward(low=0)",
            "ClipReward has no argument 'low': it takes max_reward",
        ),
        ("Taxi-v4 --wrap FrameStackObservation", "FrameStackObservation needs stack_size: "),
        (
            "Taxi-v4 --wrap FrameStackObservation(stack_siz=4)",
            "FrameStackObservation has no argument 'stack_siz': did you mean 'stack_size'?",
        ),
        ("Taxi-v4 --wrap TimeLimit(max_episode_steps=-3)", "its own code raised ValueError: "),
        ("Taxi-v4 --wrap os:system", "os:system is not a wrapper of environments"),
        ("Taxi-v4 --wrap nowhere:Wrapper", "cannot import 'nowhere'"),
    ],
)
@pytest.mark.parametrize("command", [train, compare])
def test_what_cannot_be_made_is_told_in_one_line(
    command, line, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert command(["q-learning", *line.split()]) == 2
    message = capsys.readouterr().err
    assert said in message
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_environments_in_processes_of_their_own_give_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = "a2c CartPole-v1 --steps 40 --num-envs 2 --eval-every 0 --config.n-steps 5"
    for mode in ("sync", "async"):
        assert train([*line.split(), "--vectorization", mode, "--run", mode]) == 0
        recorded = json.loads((tmp_path / mode / "config.json").read_text())["env"]
        assert recorded["vectorization"] == mode
    first, second = (
        list(leaves(load_checkpoint(tmp_path / mode / "checkpoints" / "0000000040.pt")["agent"]))
        for mode in ("sync", "async")
    )
    assert first == second
