from dataclasses import dataclass, fields

import pytest

from agents import A2CConfig, DQNConfig, PPOConfig, QLearningConfig
from agents.algorithms import ALGORITHMS
from agents.tuning.space import distribution, parse_space, settings_of
from nets.kinds import Span
from nets.settings import Settings


@pytest.mark.parametrize("name", ALGORITHMS)
def test_declared_values_are_values_of_their_settings(name):
    kind = ALGORITHMS[name].config_type()
    assert set(kind.tunable) <= {field.name for field in fields(kind)}
    for setting, where in kind.tunable.items():
        for value in (where.low, where.high) if isinstance(where, Span) else where:
            kind(**{setting: value})
        distribution(where)


def test_those_who_learn_declare_something():
    for kind in (A2CConfig, DQNConfig, PPOConfig, QLearningConfig):
        assert "learning_rate" in kind.tunable


def test_words_say_what_is_sought_and_where():
    words = [
        "learning-rate=1e-4..1e-2:log",
        "batch_size=32,64",
        "hidden=64 64,32",
        "clip",
        "epochs=2..5",
        "squash=True,False",
    ]
    assert parse_space(words, PPOConfig()) == {
        "learning_rate": Span(1e-4, 1e-2, log=True),
        "batch_size": (32, 64),
        "hidden": ((64, 64), (32,)),
        "clip": PPOConfig.tunable["clip"],
        "epochs": Span(2, 5),
        "squash": (True, False),
    }
    assert parse_space([], PPOConfig()) == PPOConfig.tunable


def test_what_trials_keep_is_not_sought():
    kept = {"n_steps", "clip", "num_envs"}
    assert parse_space([], PPOConfig(), kept).keys() == PPOConfig.tunable.keys() - kept
    with pytest.raises(ValueError, match=r"clip is kept at 0.3 and sought, too"):
        parse_space(["clip=0.1,0.2"], PPOConfig(clip=0.3), kept)


def test_where_to_seek_is_said_once():
    with pytest.raises(ValueError, match="where to seek clip is said twice"):
        parse_space(["clip", "clip=0.1,0.2"], PPOConfig())


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("lerning_rate", "no setting 'lerning_rate': did you mean 'learning_rate'"),
        ("lr=1e-3..1e-2", "no setting 'lr': did you mean 'learning_rate'"),
        ("memory_size", "say memory_size=LOW..HIGH"),
        ("clip=0.3..0.1", "begins at 0.3, not below 0.1: expected NAME"),
        ("clip=0..0.1:log", "no logarithm at 0"),
        ("clip=0.1..0.3:lin", "is no range"),
        ("discount=0.5..2.0", r"discount is 2.0: expected a number in \[0, 1\]"),
        ("batch_size=32,many", "batch_size is 'many': expected a whole number"),
    ],
)
def test_what_cannot_be_sought_is_refused(word, message):
    with pytest.raises(ValueError, match=message):
        parse_space([word], PPOConfig())


def test_settings_that_declare_nothing_need_words():
    @dataclass(frozen=True)
    class Bare(Settings):
        size: int = 1

    with pytest.raises(ValueError, match="Bare declares nothing to tune"):
        parse_space([], Bare())


def test_values_come_back_from_optuna_as_they_were():
    space = parse_space(["hidden=64 64,32", "clip=0.1..0.3", "target_kl=None,0.1"], PPOConfig())
    labels = {name: distribution(where) for name, where in space.items()}
    assert labels["hidden"].choices == ("64 64", "32")
    found = {"hidden": "64 64", "clip": 0.2, "target_kl": None}
    assert settings_of(found, space) == {"hidden": (64, 64), "clip": 0.2, "target_kl": None}
